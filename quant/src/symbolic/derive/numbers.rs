//! The numbers of a network for the symbols of its derivation.

use num_rational::BigRational;
use num_traits::{One, ToPrimitive};
use reference::{Network, Weights};

use crate::QuantNetwork;
use crate::calibrator::Ranges;
use crate::formulas::composed::composed;
use crate::formulas::conventions::{Convention, LayerScales, NetworkScales};
use crate::symbolic::FormulaError;
use crate::symbolic::evaluate::{Assignment, Computed, Entries, Value, evaluate, integer};
use crate::symbolic::expression::{Expression, Kind, Tensor};

/// Scales and ranges as the rationals that their float32 are. A real tensor is its one
/// entry of the largest magnitude, which is all that `max|·|` asks.
#[derive(Clone, Debug)]
pub struct NetworkNumbers {
    convention: Convention,
    relative: NetworkScales<BigRational>,
    input: BigRational,
    weights: Vec<BigRational>,
    outputs: Vec<BigRational>,
}

impl NetworkNumbers {
    /// The numbers of a network that was quantized from these ranges.
    pub fn new(
        float: &Network<Weights<f32>>,
        quant: &QuantNetwork,
        ranges: &Ranges,
        convention: Convention,
    ) -> Self {
        let layers = quant.network().weighted().map(|(_, layer)| LayerScales {
            weight: rational(layer.weight_scale.get()),
            output: rational(layer.output_scale.get()),
        });
        let largest = |weights: &Weights<f32>| {
            let magnitudes = weights.weight.data().iter().map(|w| w.abs());
            rational(magnitudes.fold(0.0, f32::max))
        };
        Self {
            convention,
            relative: NetworkScales {
                convention: Convention::Relative,
                input: rational(quant.input_scale().get()),
                layers: layers.collect(),
            },
            input: rational(ranges.input),
            weights: float.weighted().map(|(_, w)| largest(w)).collect(),
            outputs: ranges
                .outputs
                .iter()
                .map(|&range| rational(range))
                .collect(),
        }
    }

    /// What a symbol is, as the nearest f64.
    pub fn symbol(&self, kind: Kind, tensor: Tensor, layer: u32) -> Option<f64> {
        match self.value(kind, tensor, layer)? {
            Value::Number(number) => number.to_f64(),
            Value::Tensor(range) => range.values.first()?.to_f64(),
        }
    }

    /// What an expression of scales and ranges is, formed exactly.
    ///
    /// # Errors
    /// A symbol that this network does not have.
    pub fn exactly(&self, expression: &Expression) -> Result<BigRational, FormulaError> {
        match evaluate(expression, self, &Default::default())? {
            Value::Number(number) => Ok(number),
            Value::Tensor(_) => Err(FormulaError::new(
                "a tensor, not a number",
                expression.span.clone(),
            )),
        }
    }
}

fn rational(value: f32) -> BigRational {
    // Scales and ranges are finite.
    BigRational::from_float(value).unwrap_or_else(|| integer(0))
}

impl Assignment for NetworkNumbers {
    fn value(&self, kind: Kind, tensor: Tensor, layer: u32) -> Option<Value> {
        let i = (layer as usize).checked_sub(1);
        let written = match self.convention {
            Convention::Absolute => self.relative.to(Convention::Absolute),
            Convention::Relative | Convention::Multiply => self.relative.clone(),
        };
        let scale = match (tensor, i) {
            (Tensor::Input, _) => written.input,
            (Tensor::Weight, Some(i)) => written.layers.get(i)?.weight.clone(),
            (Tensor::Output, Some(i)) => written.layers.get(i)?.output.clone(),
            (Tensor::Bias, Some(i)) => {
                let earlier: Vec<_> = (self.relative.layers.iter().take(i))
                    .map(|layer| (layer.weight.clone(), layer.output.clone()))
                    .collect();
                composed(
                    &self.relative.layers.get(i)?.weight,
                    &self.relative.input,
                    &earlier,
                )
            }
            _ => return None,
        };
        match kind {
            Kind::Scale => Some(Value::Number(scale)),
            Kind::Inverse => Some(Value::Number(BigRational::one() / scale)),
            Kind::Multiplier => Some(Value::Number(self.relative.multipliers().get(i?)?.clone())),
            Kind::Real => {
                let largest = match (tensor, i) {
                    (Tensor::Input, _) => &self.input,
                    (Tensor::Weight, Some(i)) => self.weights.get(i)?,
                    (Tensor::Output, Some(i)) => self.outputs.get(i)?,
                    _ => return None,
                };
                Some(Value::Tensor(Entries {
                    tensor,
                    layer,
                    values: vec![largest.clone()],
                }))
            }
            Kind::Code | Kind::ZeroPoint => None,
        }
    }

    // Ranges alone say nothing of what a layer computes.
    fn apply(&self, _: u32, _: &[BigRational], _: &[BigRational]) -> Computed {
        None
    }

    fn spread(&self, _: u32, _: &[BigRational]) -> Computed {
        None
    }

    fn pool(&self, _: u32, _: &[BigRational]) -> Computed {
        None
    }
}
