//! Layers of words: s16 codes times s16 weights, in as many parts as int32 sums need.
//!
//! ```text
//! x − z = v + (origin − z)            v: the stored word
//! w = Σ digitⁱ · wᵢ                   −digit/2 ≤ wᵢ < digit/2
//! Σ (x − z)·w + β = Σ digitⁱ · Σ v·wᵢ + (β + (origin − z)·Σ w)
//! ```
//! Where the left side is an int32 and w a word, one sum does, modulo 2³². Else w is split in
//! the largest digits for which every `Σ v·wᵢ` is an int32, whatever v is.

use reference::Conv2dGeometry;

use super::form::Form;
use crate::algorithms::channels::Output;
use crate::entry::Table;
use crate::groups::Groups;
use crate::layout::{MapShape, span};
use crate::packing::{Runs, Source};
use crate::requantizer::{Arrangement, Requantizer};

/// A layer's integers.
pub(super) struct WordWeights<'a> {
    /// [O, C/groups, kernel height, kernel width].
    pub(super) shape: [usize; 4],
    /// OIHW codes less their zero point.
    pub(super) codes: &'a [i32],
    /// One an output channel.
    pub(super) bias: &'a [i64],
    /// Of the input's codes.
    pub(super) input: Form,
    /// The largest |acc|.
    pub(super) reach: i64,
}

/// A layer, packed.
#[derive(Clone, Debug)]
pub(super) struct Words {
    /// Words from the maps' start to the first window.
    first: usize,
    /// Words from a window to the one below and to the next.
    step: [usize; 2],
    parts: Vec<Groups<i16>>,
    digit: f64,
    /// What is added to the sums of each output channel.
    constants: Vec<f64>,
}

/// Bits of the digits that are tried, largest first.
const DIGITS: [u32; 7] = [9, 8, 7, 6, 5, 4, 3];

impl Words {
    /// Packs a convolution; `None` where no digits make every sum an int32.
    pub(super) fn conv2d(
        table: Table,
        weights: &WordWeights<'_>,
        geometry: Conv2dGeometry,
        maps: MapShape,
    ) -> Option<Self> {
        let [outputs, inputs, kh, kw] = weights.shape;
        let pitch = maps.pitch();
        let runs = Runs::new([kh, kw], geometry.dilation, pitch, maps.channels, inputs);
        let split = Split::new(weights)?;
        let part = |part: &Vec<i16>| {
            let source = Source {
                outputs,
                kernel: [kh, kw],
                inputs,
                at: &|o, ky, kx, i| part[((o * inputs + i) * kh + ky) * kw + kx],
            };
            Groups::new(table, &source, geometry.groups, &runs, &split.bias)
        };
        Some(Self {
            first: maps.first_window(geometry.padding),
            step: maps.window_step(geometry.stride),
            parts: split.parts.iter().map(part).collect(),
            digit: split.digit,
            constants: split.constants,
        })
    }

    /// Packs a linear layer, its features in the order of the maps.
    pub(super) fn linear(table: Table, weights: &WordWeights<'_>) -> Option<Self> {
        let [_, inputs, ..] = weights.shape;
        let maps = MapShape {
            height: 1,
            width: 1,
            channels: inputs,
            border: [0, 0],
        };
        Self::conv2d(table, weights, Conv2dGeometry::default(), maps)
    }

    /// How many sums a value has.
    pub(super) fn parts(&self) -> usize {
        self.parts.len()
    }

    pub(super) fn digit(&self) -> f64 {
        self.digit
    }

    /// What is added to the sums of each output channel.
    pub(super) fn constants(&self) -> &[f64] {
        &self.constants
    }

    /// The sums of one part, HWO; of a linear layer a column is a row of features.
    pub(super) fn sums(
        &self,
        part: usize,
        input: &[i16],
        [rows, columns]: [usize; 2],
        to: &mut [i32],
    ) {
        let channels = self.parts[0].outputs();
        let step = [columns.saturating_mul(channels), channels];
        assert!(to.len() >= span([rows, columns], step, channels), "sums");
        let output = Output::Accumulators {
            to: to.as_mut_ptr(),
            step,
        };
        self.run(part, input, [rows, columns], output);
    }

    /// The codes of a layer with one part, `step` bytes from one output to the one below and to
    /// the next.
    pub(super) fn codes(
        &self,
        input: &[i16],
        [rows, columns]: [usize; 2],
        requantizer: &Requantizer,
        pooled: bool,
        to: &mut [u8],
        step: [usize; 2],
    ) {
        let channels = self.parts[0].outputs();
        let made = if pooled {
            [rows / 2, columns / 2]
        } else {
            [rows, columns]
        };
        assert!(to.len() >= span(made, step, channels), "outputs");
        requantizer.check(channels, Arrangement::Channels);
        let output = Output::Codes {
            to: to.as_mut_ptr(),
            step,
            requantizer,
            first: 0,
            pooled,
        };
        let at_once = if pooled { 2 } else { 1 };
        self.run(0, input, made.map(|count| at_once * count), output);
    }

    fn run(&self, part: usize, input: &[i16], windows: [usize; 2], output: Output<'_>) {
        // SAFETY: outputs and constants were checked by the callers.
        unsafe { self.parts[part].run(&input[self.first..], windows, self.step, output) }
    }
}

/// Weights as words.
struct Split {
    /// OIHW.
    parts: Vec<Vec<i16>>,
    digit: f64,
    /// Of the sums themselves, modulo 2³².
    bias: Vec<i32>,
    constants: Vec<f64>,
}

impl Split {
    fn new(weights: &WordWeights<'_>) -> Option<Self> {
        let WordWeights {
            shape, codes, bias, ..
        } = weights;
        let [outputs, ..] = *shape;
        let row = codes.len() / outputs;
        let constant = |o: usize| {
            let sum: i64 = (codes[o * row..][..row].iter())
                .map(|&w| i64::from(w))
                .sum();
            bias[o] - i64::from(weights.input.zero()) * sum
        };
        let constants = (0..outputs).map(constant);
        let words: Option<Vec<i16>> = (codes.iter()).map(|&w| i16::try_from(w).ok()).collect();
        if let Some(words) = words
            && weights.reach <= i64::from(i32::MAX)
        {
            return Some(Self {
                parts: vec![words],
                digit: 1.0,
                // Modulo 2³².
                bias: constants.map(|constant| constant as i32).collect(),
                constants: vec![0.0; outputs],
            });
        }
        let (digit, parts) = DIGITS.iter().find_map(|&bits| {
            let parts = digits(codes, bits);
            let fit = (parts.iter()).all(|part| {
                part.chunks_exact(row)
                    .all(|row| sums_fit(row, weights.input.stored()))
            });
            fit.then(|| (f64::from(1 << bits), parts))
        })?;
        Some(Self {
            parts,
            digit,
            bias: vec![0; outputs],
            // Below 2⁵³, as the accumulators of any codes are.
            constants: constants.map(|constant| constant as f64).collect(),
        })
    }
}

/// The digits of every code, least first: from −2^(bits − 1) to 2^(bits − 1) − 1.
fn digits(codes: &[i32], bits: u32) -> Vec<Vec<i16>> {
    let half = 1 << (bits - 1);
    let mut left = codes.to_vec();
    let mut parts = Vec::new();
    while parts.is_empty() || left.iter().any(|&w| w != 0) {
        let part = left.iter_mut().map(|w| {
            let digit = (*w + half).rem_euclid(1 << bits) - half;
            *w = (*w - digit) >> bits;
            digit as i16
        });
        parts.push(part.collect());
    }
    parts
}

/// Whether `Σ v·w` is an int32 for all v between these.
fn sums_fit(weights: &[i16], [low, high]: [i32; 2]) -> bool {
    let (mut least, mut most) = (0i64, 0i64);
    for &w in weights {
        let ends = [low, high].map(|v| i64::from(v) * i64::from(w));
        least += ends[0].min(ends[1]);
        most += ends[0].max(ends[1]);
    }
    least >= i64::from(i32::MIN) && most <= i64::from(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_the_number_again() {
        let codes = [
            -65535, -32769, -32768, -257, -256, -1, 0, 1, 255, 256, 32767, 65535,
        ];
        for bits in DIGITS {
            let parts = digits(&codes, bits);
            for (at, &code) in codes.iter().enumerate() {
                let again =
                    (parts.iter().rev()).fold(0, |sum, part| (sum << bits) + i64::from(part[at]));
                assert_eq!(again, i64::from(code), "{bits} bits");
                let balanced = -(1i16 << (bits - 1))..1i16 << (bits - 1);
                assert!(
                    parts.iter().all(|part| balanced.contains(&part[at])),
                    "{code}"
                );
            }
        }
    }

    #[test]
    fn a_sum_fits_by_one() {
        assert!(sums_fit(&[i16::MIN, i16::MIN + 1], [-32768, 32767]));
        assert!(!sums_fit(&[i16::MIN, i16::MIN], [-32768, 32767]));
        assert!(sums_fit(&[i16::MAX, i16::MAX], [-32768, 32767]));
        assert!(!sums_fit(&[i16::MAX, i16::MAX, 3], [-32768, 32767]));
    }
}
