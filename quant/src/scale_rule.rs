//! The exact scale rule: every scale and code made again from the calibrated ranges.
//!
//! A wrong scale *value* leaves no factor over, since the formula is right whatever the
//! scale, and breaks no sound bound, since clamping and rounding are part of it. But the rule
//! that makes it is exact, so it is followed again, layer by layer, with the network's own
//! earlier scales: what deviates is the layer at fault, not those after it.

use std::fmt;

use reference::{Network, Tensor, Weights};

use crate::calibrator::Ranges;
use crate::formulas::QMAX;
use crate::formulas::activations::output_scale;
use crate::formulas::weights::max_abs_scale;
use crate::{QuantError, QuantNetwork, Rounding, Scale, formulas, quantized_bias};

/// A parameter that the rule does not give.
#[derive(Clone, Debug, PartialEq)]
pub enum Deviation {
    /// s_I, s_W or s_O is not max|·| over 127 codes (eq. 3, 10).
    Scale {
        /// `input`, or the layer.
        layer: String,
        /// Which of its scales.
        which: Which,
        /// What the rule gives.
        expected: Scale,
        /// What the network has.
        got: Scale,
    },
    /// A weight code is not round(W / s_W) (eq. 4).
    Weight {
        /// The layer.
        layer: String,
        /// Row-major position.
        index: usize,
        /// What the rule gives.
        expected: i8,
        /// What the network has.
        got: i8,
    },
    /// A bias code is not round(β / s_β) (eq. 11).
    Bias {
        /// The layer.
        layer: String,
        /// Output channel.
        index: usize,
        /// What the rule gives; none if there is no such bias.
        expected: Option<i32>,
        /// What the network has; none if it has fewer codes.
        got: Option<i32>,
    },
}

/// A scale of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// s_I.
    Input,
    /// s_W.
    Weight,
    /// s_O, relative.
    Output,
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scale {
                layer,
                which,
                expected,
                got,
            } => {
                let tensor = match which {
                    Which::Input => "input",
                    Which::Weight => "weight",
                    Which::Output => "output",
                };
                let peak = f64::from(QMAX) * expected.wide() / got.wide();
                write!(
                    f,
                    "{layer}: {tensor} scale {:e}, the rule gives {:e}: the largest value is {peak:.2} codes, not 127",
                    got.get(),
                    expected.get()
                )
            }
            Self::Weight {
                layer,
                index,
                expected,
                got,
            } => write!(
                f,
                "{layer}: weight code {index} is {got}, the rule gives {expected}"
            ),
            Self::Bias {
                layer,
                index,
                expected,
                got,
            } => {
                let code = |code: &Option<i32>| code.map_or("none".into(), |code| code.to_string());
                write!(
                    f,
                    "{layer}: bias code {index} is {}, the rule gives {}",
                    code(got),
                    code(expected)
                )
            }
        }
    }
}

/// What of `quant` the max-abs rule over `ranges` does not give, first layer first; one
/// deviation for each kind of parameter of a layer.
///
/// # Errors
/// A float network that cannot be quantized, or ranges or layers that are not as many.
pub fn deviations(
    float: &Network<Weights<f32>>,
    ranges: &Ranges,
    quant: &QuantNetwork,
) -> Result<Vec<Deviation>, QuantError> {
    let layers = quant.network().weighted().count();
    for got in [ranges.outputs.len(), float.weighted().count()] {
        if got != layers {
            return Err(QuantError::Ranges {
                expected: layers,
                got,
            });
        }
    }
    let mut found = Vec::new();
    let s_i = quant.input_scale();
    let expected = crate::quantize_initial_input(&Tensor::full(&[1], ranges.input)?)?;
    found.extend(scale("input", Which::Input, expected, s_i));
    let mut ss: Vec<(Scale, Scale)> = Vec::with_capacity(layers);
    let pairs = float.weighted().zip(quant.network().weighted());
    for (((name, float), (_, codes)), &range) in pairs.zip(&ranges.outputs) {
        let s_w = codes.weight_scale;
        let expected = max_abs_scale(float.weight.data()).map_err(|e| e.in_layer(name))?;
        found.extend(scale(name, Which::Weight, expected, s_w));

        let weights = float.weight.data().iter().zip(codes.weight.data());
        let wrong = weights.enumerate().find_map(|(index, (&w, &got))| {
            let expected = formulas::quantize(w, s_w, Rounding::TiesToEven);
            (expected != got).then(|| Deviation::Weight {
                layer: name.to_owned(),
                index,
                expected,
                got,
            })
        });
        found.extend(wrong);

        let expected = output_scale(range, s_w, s_i, &ss).map_err(|error| error.in_layer(name))?;
        found.extend(scale(name, Which::Output, expected, codes.output_scale));

        let bias = float.bias.as_deref().unwrap_or_default();
        let expected = quantized_bias(bias, s_w, s_i, &ss).map_err(|e| e.in_layer(name))?;
        let got = codes.bias.as_deref().unwrap_or_default();
        let wrong = (0..expected.len().max(got.len())).find_map(|index| {
            let (expected, got) = (expected.get(index).copied(), got.get(index).copied());
            (got != expected).then(|| Deviation::Bias {
                layer: name.to_owned(),
                index,
                expected,
                got,
            })
        });
        found.extend(wrong);
        ss.push((s_w, codes.output_scale));
    }
    Ok(found)
}

fn scale(layer: &str, which: Which, expected: Scale, got: Scale) -> Option<Deviation> {
    (expected != got).then(|| Deviation::Scale {
        layer: layer.to_owned(),
        which,
        expected,
        got,
    })
}
