//! The formulas as symbols: do they cancel?
//!
//! Every quantized tensor carries a monomial in the scales, the real value of one code.
//! An equation is [parsed](parse), each code is replaced by its unrounded ratio, and both
//! sides are brought to a [normal form](normal): a sum of products of tensors, each with a
//! monomial. They cancel when the quotient of the two is 1; else it is named.

pub mod check;
pub mod derive;
pub mod error;
pub mod evaluate;
pub mod expression;
mod indices;
pub mod monomial;
pub mod normal;
pub mod parse;
pub mod render;

pub use check::{Right, Verdict, check};
pub use error::FormulaError;
