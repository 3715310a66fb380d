//! The harness: every claim about a network, checked and reported.
//!
//! A [`Row`] is one comparison of Karat's numbers with PyTorch's; [`compare`] holds
//! the notions of "equal". [`claims`] makes the rows, [`report`] shows them.

#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

pub mod backend;
pub mod claims;
pub mod compare;
pub mod diagnosis;
pub mod dtype;
pub mod explain;
pub mod export;
pub mod files;
pub mod fixture_check;
pub mod kill_matrix;
pub mod matrix;
pub mod mistakes;
pub mod model;
pub mod model_file;
pub mod own_scheme;
mod page;
pub mod qsnr;
pub mod report;
pub mod row;
pub mod run;
pub mod study;
pub mod subject;
pub mod verdict;

pub use compare::Outcome;
pub use fixture_check::{FixtureDifferences, fixture_differences};
pub use report::{Format, Report};
pub use row::{Claim, Row};
pub use run::{Options, Selection, VerifyError, verify};
pub use subject::Subject;
