//! Requantizations that are made otherwise.

use quant::contracts::{self, Channel};
use quant::sq8::{multiplicative_bias, multiplier_bits};

use super::{Site, Variant};
use crate::model::{Arithmetic, Overflow, Requantize, Step};

/// Another requantization; nothing at any other step, and nothing where it changes nothing.
impl Site<'_> {
    /// The requantization with something changed.
    pub fn requantized(
        &self,
        parameters: &str,
        change: impl FnOnce(&mut Requantize),
    ) -> Option<Variant> {
        let mut requantize = self.requantize()?.clone();
        change(&mut requantize);
        Some(Variant::named(parameters, Step::Requantize(requantize)))
    }

    /// With other scales or zero points; nothing where `change` gives none.
    pub fn rescaled(
        &self,
        parameters: &str,
        change: impl Fn(usize, Channel) -> Option<Channel>,
    ) -> Option<Variant> {
        let right = &self.requantize()?.channels;
        let channels: Vec<Channel> = (right.iter().enumerate())
            .map(|(o, &channel)| change(o, channel))
            .collect::<Option<_>>()?;
        if channels == *right {
            return None;
        }
        let arithmetic = self.arithmetic_of(&channels)?;
        self.requantized(parameters, |requantize| {
            (requantize.channels, requantize.arithmetic) = (channels, arithmetic);
        })
    }

    /// The step's own arithmetic for other scales: of SQ8 the multipliers that NNTool would make
    /// of them. Nothing where there are none.
    fn arithmetic_of(&self, channels: &[Channel]) -> Option<Arithmetic> {
        let own = &self.requantize()?.arithmetic;
        let (Arithmetic::Sq8(_, rounding), Some(layer)) = (own, &self.origin()?.sq8) else {
            return Some(own.clone());
        };
        let inputs = layer.codes.item_len();
        let factors: Vec<_> = (channels.iter().zip(&layer.bias_codes))
            .map(|(channel, &bias)| (channel.multiplier(), multiplier_bits(inputs, bias)))
            .collect();
        let scales = multiplicative_bias(&factors).ok()?;
        Some(Arithmetic::Sq8(scales.into(), *rounding))
    }

    /// With every scale written otherwise; 1 stays, and a scale of 0 or none is no form.
    pub fn with_scales(
        &self,
        parameters: &str,
        write: impl Fn(f64) -> Option<f64>,
    ) -> Option<Variant> {
        let write =
            |scale| write(scale).filter(|&written| written > 0.0 && f64::is_finite(written));
        self.rescaled(parameters, |_, channel| {
            Some(Channel {
                input_scale: write(channel.input_scale)?,
                weight_scale: write(channel.weight_scale)?,
                output_scale: write(channel.output_scale)?,
                ..channel
            })
        })
    }

    /// In another arithmetic.
    pub fn computed(&self, parameters: &str, arithmetic: Arithmetic) -> Option<Variant> {
        self.requantized(parameters, |requantize| requantize.arithmetic = arithmetic)
    }

    /// By the arithmetic of a contract, unless it is the model's own or has no numbers here.
    pub fn contract(&self, parameters: &str, name: &str) -> Option<Variant> {
        let contract = contracts::find(name)?;
        let own = contracts::find(&self.model.contract);
        if own.is_some_and(|own| own.class == contract.class) {
            return None;
        }
        let variant = self.computed(parameters, Arithmetic::Contract(contract))?;
        match &variant.step {
            Step::Requantize(requantize) if requantize.check().is_ok() => Some(variant),
            _ => None,
        }
    }

    /// By a function of the quotient in output steps, as the model computes it, and of the zero
    /// point. A contract has no such quotient.
    pub fn quotients(
        &self,
        parameters: &str,
        code: impl Fn(f64, f64) -> f64 + Send + Sync + 'static,
    ) -> Option<Variant> {
        let quotient: fn(&Channel, f64) -> f64 = match self.requantize()?.arithmetic {
            Arithmetic::Division(_) => |channel, acc| f64::from(acc as f32 / channel.divisor()),
            Arithmetic::Product(_) => |channel, acc| acc * channel.multiplier(),
            Arithmetic::Sq8(..) | Arithmetic::Contract(_) | Arithmetic::Other(_) => return None,
        };
        let code = move |channel: &Channel, acc| {
            code(quotient(channel, acc), channel.output_zero_point.into())
        };
        self.computed(parameters, Arithmetic::other(code))
    }

    /// With other codes for what is none.
    pub fn overflowing(
        &self,
        parameters: &str,
        code: impl Fn(&Channel, f64) -> f64 + Send + Sync + 'static,
    ) -> Option<Variant> {
        self.requantized(parameters, |requantize| {
            requantize.overflow = Overflow::other(code);
        })
    }
}

/// A float32 number of output steps, rounded half to even, and the zero point.
pub(in crate::mistakes) fn rounded(channel: &Channel, steps: f32) -> f64 {
    f64::from(steps.round_ties_even()) + f64::from(channel.output_zero_point)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_steps_goes_to_the_even_code_from_the_zero_point() {
        let channel = Channel::int8(1.0, 1.0, 1.0, 3);
        assert_eq!(
            [2.5, 3.5, -0.5].map(|steps| rounded(&channel, steps)),
            [5.0, 7.0, 3.0]
        );
    }
}
