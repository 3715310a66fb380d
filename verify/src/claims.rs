//! The claims, one kind a file; each makes rows.

mod float;
mod int8_error;
mod integer;
mod operators;
mod parameters;
mod predictions;

pub use float::{BoundedTrace, bounded_trace, check_float};
pub use int8_error::check_int8_error;
pub use integer::check_integer;
pub use operators::{Coverage, check_operator};
pub use parameters::check_parameters;
pub use predictions::{Predictions, argmax, check_predictions};

use crate::{Claim, Outcome, Row};

/// Makes rows of one network.
struct Rows<'a> {
    network: &'a str,
    rows: Vec<Row>,
}

impl<'a> Rows<'a> {
    fn new(network: &'a str) -> Self {
        Self {
            network,
            rows: Vec::new(),
        }
    }

    fn push(&mut self, layer: &str, claim: Claim, shape: &[usize], outcome: Outcome) {
        self.rows.push(Row {
            network: self.network.to_owned(),
            layer: layer.to_owned(),
            shape: shape.to_vec(),
            claim,
            outcome,
        });
    }
}
