//! From sums to codes: in the kernel, or by eq. 22 in float64.

use quant::affine::AffineWeights;

use super::form::{Element, Form};
use crate::requantizer::{Channel, Requantizer, Stored};

/// How a layer's sums become codes.
#[derive(Clone, Debug)]
pub(super) enum Codes {
    /// In the kernel, in float32.
    Certified(Requantizer),
    /// Eq. 22.
    Formula(Formula),
}

/// The constants of eq. 22.
#[derive(Clone, Debug)]
pub(super) struct Formula {
    pub(super) digit: f64,
    /// One for each sum of a row of outputs.
    pub(super) multipliers: Vec<f64>,
    pub(super) constants: Vec<f64>,
    /// The least and the largest code less the zero point.
    pub(super) ends: [f64; 2],
    /// The stored zero point.
    pub(super) zero: i32,
}

impl Formula {
    /// For rows of so many pixels; `relu`, if one follows.
    pub(super) fn new(
        weights: &AffineWeights,
        relu: bool,
        digit: f64,
        constants: &[f64],
        pixels: usize,
    ) -> Self {
        let form = Form::new(weights.output);
        let [low, high] = weights.output.reach();
        Self {
            digit,
            multipliers: weights.multipliers.repeat(pixels),
            constants: constants.repeat(pixels),
            ends: [if relu { 0.0 } else { low }, high],
            zero: form.zero(),
        }
    }
}

/// Constants whose float32 codes are those of eq. 22, for accumulators up to `reach` in size;
/// `None` where there are none, or codes are no bytes.
pub(super) fn certified(weights: &AffineWeights, reach: i64, relu: bool) -> Option<Requantizer> {
    let form = Form::new(weights.output);
    if form.element != Element::Byte {
        return None;
    }
    let reach = i32::try_from(reach).ok()?;
    let [low, high] = form.stored();
    let zero = form.zero();
    let clamp = if relu { zero } else { low }..=high;
    let outputs = weights.multipliers.len();
    let codes: Vec<_> = (0..outputs)
        .map(|o| move |acc: i32| form.store(weights.code(o, f64::from(acc))))
        .collect();
    let channels: Vec<Channel<'_>> = (codes.iter().zip(&weights.multipliers))
        .map(|(code, &slope)| Channel {
            reach: -reach..=reach,
            slope,
            code,
        })
        .collect();
    let alike = weights
        .multipliers
        .iter()
        .all(|&m| m == weights.multipliers[0]);
    match alike {
        true => Requantizer::certify_alike(&channels[0], outputs, zero, Stored::Unsigned, clamp),
        false => Requantizer::certify(&channels, zero, Stored::Unsigned, clamp),
    }
}
