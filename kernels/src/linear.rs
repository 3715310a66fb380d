//! A linear layer, or a matrix product: rows of features times packed weights.

use quant::QuantError;
use reference::ShapeError;

use crate::Kernels;
use crate::algorithms::channels::Output;
use crate::groups::Groups;
use crate::interface::table_of;
use crate::layout::{SLACK, span};
use crate::packing::{Runs, Source, folded_bias};
use crate::requantizer::{Arrangement, Requantizer};

/// The integers of a linear layer.
pub struct LinearWeights<'a> {
    /// Output features, input features.
    pub shape: [usize; 2],
    /// The code of output and input feature, less its zero point.
    pub code: &'a dyn Fn(usize, usize) -> i8,
    /// One an output; none is zeros. With the products it stays within int32.
    pub bias: Option<&'a [i32]>,
    /// The stored code that stands for 0 in the input.
    pub input_zero: u8,
}

/// A linear layer, packed.
#[derive(Clone, Debug)]
pub struct Linear {
    shape: [usize; 2],
    rows: Groups<u8>,
}

impl Linear {
    /// Packs a layer.
    ///
    /// # Errors
    /// A bias of another length, or no features.
    pub fn new(kernels: Kernels, weights: &LinearWeights<'_>) -> Result<Self, QuantError> {
        let table = table_of(kernels);
        let [outputs, inputs] = weights.shape;
        let got = weights.bias.map_or(outputs, <[i32]>::len);
        if got != outputs {
            return Err(ShapeError::Mismatch {
                what: "values of the bias",
                expected: outputs,
                got,
            }
            .into());
        }
        if outputs == 0 || inputs == 0 {
            return Err(QuantError::Empty);
        }
        let source = Source {
            outputs,
            kernel: [1, 1],
            inputs,
            at: &|o, _, _, i| i16::from((weights.code)(o, i)),
        };
        let bias = folded_bias(&table, &source, weights.bias, weights.input_zero);
        let runs = Runs::new([1, 1], [1, 1], inputs, inputs, inputs);
        Ok(Self {
            shape: weights.shape,
            rows: Groups::new(table, &source, 1, &runs, &bias),
        })
    }

    /// Output and input features.
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// The accumulators of `rows` rows of stored codes, `pitch` bytes apart.
    ///
    /// # Panics
    /// `input` does not hold the rows and `SLACK` bytes, or `to` not `rows` times the outputs.
    pub fn accumulators(&self, input: &[u8], rows: usize, pitch: usize, to: &mut [i32]) {
        let [outputs, _] = self.shape;
        let step = [0, outputs];
        assert_eq!(to.len(), span([1, rows], step, outputs), "accumulators");
        let output = Output::Accumulators {
            to: to.as_mut_ptr(),
            step,
        };
        self.run(input, rows, pitch, output);
    }

    /// The codes of `rows` rows, `to_pitch` bytes apart.
    ///
    /// # Panics
    /// `input` does not hold the rows and `SLACK` bytes, or `to` not the outputs.
    pub fn codes(
        &self,
        input: &[u8],
        rows: usize,
        pitch: usize,
        requantizer: &Requantizer,
        to: &mut [u8],
        to_pitch: usize,
    ) {
        let [outputs, _] = self.shape;
        assert!(to_pitch >= outputs || rows <= 1, "output pitch");
        let step = [0, to_pitch];
        assert!(to.len() >= span([1, rows], step, outputs), "outputs");
        requantizer.check(outputs, Arrangement::Channels);
        let output = Output::Codes {
            to: to.as_mut_ptr(),
            step,
            requantizer,
            first: 0,
            pooled: false,
        };
        self.run(input, rows, pitch, output);
    }

    fn run(&self, input: &[u8], rows: usize, pitch: usize, output: Output<'_>) {
        let [_, inputs] = self.shape;
        let step = [0, pitch];
        let needed = span([1, rows], step, inputs + SLACK);
        assert!(input.len() >= needed, "input rows");
        // SAFETY: outputs and constants were checked by the callers.
        unsafe { self.rows.run(input, [1, rows], step, output) }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::dispatch;
    use crate::requantizer::{Channel, Stored};

    /// In a build that wraps, these would pass for short slices.
    #[test]
    fn rows_that_no_slice_holds_are_refused() {
        let weights = LinearWeights {
            shape: [2, 4],
            code: &|_, _| 1,
            bias: None,
            input_zero: 128,
        };
        let linear = Linear::new(dispatch::portable(), &weights).unwrap();
        let channel = Channel {
            reach: -512..=508,
            slope: 1.0,
            code: &|acc| acc,
        };
        let codes = Stored::Signed.codes();
        let requantizer =
            Requantizer::certify_alike(&channel, 2, 0, Stored::Signed, codes).unwrap();
        let half = 1usize << (usize::BITS - 1);
        let input = [128; 8 + SLACK];
        let sums = |rows, pitch, to: &mut [i32]| {
            catch_unwind(AssertUnwindSafe(|| {
                linear.accumulators(&input, rows, pitch, to)
            }))
        };
        assert!(sums(2, 4, &mut [0; 4]).is_ok());
        assert!(sums(half, 4, &mut []).is_err());
        assert!(sums(3, half, &mut [0; 6]).is_err());
        let codes = |rows, pitch, to_pitch| {
            let mut to = [0; 6];
            catch_unwind(AssertUnwindSafe(|| {
                linear.codes(&input, rows, pitch, &requantizer, &mut to, to_pitch);
            }))
        };
        assert!(codes(2, 4, 4).is_ok());
        assert!(codes(3, 0, half).is_err());
        assert!(codes(3, half, 2).is_err());
    }
}
