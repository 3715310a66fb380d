//! Any step on other values, or rounded otherwise.

use reference::ShapeError;

use super::{Site, Variant};
use crate::model::{Function, MeanRounding, Step, Values};

/// Any step.
impl Site<'_> {
    /// Of the node's input, first axis 1; of the first node its own.
    pub fn input_shape(&self) -> &[usize] {
        &self.model.nodes[self.node.saturating_sub(1)].shape
    }

    /// The input's codes, made of real values that a function of pixel and channel gives;
    /// nothing where they are the same for every pixel.
    pub fn pixels_as(
        &self,
        parameters: &str,
        real: impl Fn(f32, usize) -> f32 + Send + Sync + 'static,
    ) -> Option<Variant> {
        let Step::Quantize(quantize) = self.step else {
            return None;
        };
        let (mean, std, params) = (quantize.mean, quantize.std, quantize.params);
        let pixels = || (0..=u8::MAX).map(f32::from);
        let channels = 0..quantize.channels.len();
        let same = channels.clone().all(|channel| {
            pixels().all(|pixel| {
                let right = (pixel / 255.0 - mean) / std;
                params.quantize(real(pixel, channel)) == params.quantize(right)
            })
        });
        let function = Function::new(move |pixels| {
            Ok(pixels.map_along(1, |channel, pixel| {
                f64::from(params.quantize(real(pixel as f32, channel)))
            }))
        });
        (!same).then(|| Variant::named(parameters, Step::Other(function)))
    }

    /// The step on another input.
    pub fn fed(
        &self,
        parameters: &str,
        feed: impl Fn(&Values) -> Result<Values, ShapeError> + Send + Sync + 'static,
    ) -> Variant {
        let step = self.step.clone();
        let function = Function::new(move |input| step.run(&feed(input)?));
        Variant::named(parameters, Step::Other(function))
    }

    /// The step, and a function of its input and output after it.
    pub fn followed(
        &self,
        parameters: &str,
        follow: impl Fn(&Values, Values) -> Result<Values, ShapeError> + Send + Sync + 'static,
    ) -> Variant {
        let step = self.step.clone();
        let function = Function::new(move |input| follow(input, step.run(input)?));
        Variant::named(parameters, Step::Other(function))
    }

    /// Another rounding wherever the step rounds: codes of pixels, outputs, means.
    pub fn rounding(&self, parameters: &str, rule: quant::Rounding) -> Option<Variant> {
        let step = match self.step {
            Step::Requantize(requantize) => {
                let arithmetic = requantize.arithmetic.with_rounding(rule)?;
                return self.computed(parameters, arithmetic);
            }
            Step::Quantize(quantize) => {
                let mut quantize = quantize.clone();
                quantize.rounding = rule;
                Step::Quantize(quantize)
            }
            // Means that are cut off are a mistake of their own.
            Step::AveragePool(pool)
                if !matches!(rule, quant::Rounding::Floor | quant::Rounding::TowardZero) =>
            {
                let mut pool = pool.clone();
                pool.rounding = MeanRounding::Rule(rule);
                Step::AveragePool(pool)
            }
            _ => return None,
        };
        Some(Variant::named(parameters, step))
    }
}
