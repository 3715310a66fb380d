//! What a tool says of its own scheme: `scheme.json`.

use std::collections::BTreeMap;
use std::path::Path;

use fixtures::npy::numbers;
use quant::Rounding;
use quant::bounds::int8::{Codes, FLOAT32_MULTIPLIER, QuantizedLayer};
use reference::{Network, Tensor, Weights};
use serde::Deserialize;

use super::OwnSchemeError;
use crate::backend::folder::plain;

/// How a tool quantizes a network.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnScheme {
    /// Of the input's codes.
    pub input: OwnCodes,
    /// Of every layer with weights, by its name.
    pub layers: BTreeMap<String, OwnLayer>,
    /// How accumulators become codes.
    #[serde(default)]
    pub requantizer: Requantizer,
}

/// What codes stand for: `scale · (code − zero_point)`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnCodes {
    /// The real size of one code.
    pub scale: f64,
    /// The code that stands for 0.
    pub zero_point: i32,
    /// The lowest code.
    pub low: i32,
    /// The highest code.
    pub high: i32,
}

/// A layer with weights.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnLayer {
    /// An npy file beside the JSON: what the weights stand for (float), OIHW or [out, in].
    pub weight: String,
    /// An npy file: what the biases stand for (float), one an output channel; none without.
    #[serde(default)]
    pub bias: Option<String>,
    /// Of the codes before the ReLU, if one follows.
    pub output: OwnCodes,
}

/// How far a requantization may be from the exact quotient.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requantizer {
    /// How the multiplier is held.
    #[serde(default)]
    pub multiplier: Precision,
    /// "nearest": rounded once, to within half a code. "whole-step": anything within one code:
    /// rounded down, cut off, or rounded twice.
    #[serde(default = "nearest")]
    rounding: OwnRounding,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum OwnRounding {
    Nearest,
    WholeStep,
}

fn nearest() -> OwnRounding {
    OwnRounding::Nearest
}

/// How a multiplier is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// float32, the product too; or better.
    #[default]
    Float32,
    /// A fixed-point mantissa of so many bits, 1 to 31, rounded to nearest, and a shift.
    Bits(u8),
}

impl Default for Requantizer {
    fn default() -> Self {
        Self {
            multiplier: Precision::Float32,
            rounding: OwnRounding::Nearest,
        }
    }
}

impl Requantizer {
    /// The rounding that allows as much.
    pub(super) fn rounding(&self) -> Rounding {
        match self.rounding {
            OwnRounding::Nearest => Rounding::TiesToEven,
            OwnRounding::WholeStep => Rounding::Floor,
        }
    }

    /// The largest relative error of the quotient that is rounded.
    fn arithmetic(&self) -> f64 {
        match self.multiplier {
            Precision::Float32 => FLOAT32_MULTIPLIER,
            // Half a unit of a mantissa that is at least 2^(b−1); formed in float32 or better.
            Precision::Bits(bits) => {
                (-f64::from(bits)).exp2() * (1.0 + FLOAT32_MULTIPLIER) + FLOAT32_MULTIPLIER
            }
        }
    }
}

impl OwnCodes {
    fn check(&self) -> Result<(), String> {
        let Self {
            scale,
            zero_point,
            low,
            high,
        } = *self;
        if !(f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX)).contains(&scale) {
            return Err(format!(
                "scale {scale} is none; expected a positive float32"
            ));
        }
        if low >= high || low < -32768 || high > 65535 {
            return Err(format!("codes {low} to {high}; expected at most 16 bits"));
        }
        match (low..=high).contains(&zero_point) {
            true => Ok(()),
            false => Err(format!(
                "zero_point {zero_point} is no code from {low} to {high}"
            )),
        }
    }

    /// The codes less the zero point, rounded so.
    pub(super) fn reach(&self, rounding: Rounding) -> Codes {
        Codes {
            reach: [self.low, self.high].map(|code| f64::from(code - self.zero_point)),
            rounding,
        }
    }

    /// What a code stands for.
    pub fn real(&self, code: f64) -> f64 {
        self.scale * (code - f64::from(self.zero_point))
    }
}

/// More than any scheme needs.
const LARGEST: u64 = 1 << 20;

impl OwnScheme {
    /// Reads `scheme.json`.
    ///
    /// # Errors
    /// It cannot be read, is no such file, has a scale that is none, or names other layers than
    /// the network's.
    pub fn read<W>(path: &Path, network: &Network<W>) -> Result<Self, OwnSchemeError> {
        let bytes = plain(path, LARGEST).map_err(|why| OwnSchemeError::file(path, why))?;
        let scheme: Self =
            serde_json::from_slice(&bytes).map_err(|error| OwnSchemeError::file(path, error))?;
        scheme
            .check(network)
            .map_err(|why| OwnSchemeError::file(path, why))?;
        Ok(scheme)
    }

    fn check<W>(&self, network: &Network<W>) -> Result<(), String> {
        (self.input.check()).map_err(|why| format!("input: {why}"))?;
        if let Precision::Bits(bits @ (0 | 32..)) = self.requantizer.multiplier {
            return Err(format!("a multiplier of {bits} bits; expected 1 to 31"));
        }
        let names: Vec<&str> = network.weighted().map(|(name, _)| name).collect();
        for name in &names {
            let layer = (self.layers.get(*name))
                .ok_or_else(|| format!("layer {name} is missing; expected {}", names.join(", ")))?;
            (layer.output.check()).map_err(|why| format!("layer {name}: {why}"))?;
        }
        match self
            .layers
            .keys()
            .find(|name| !names.contains(&name.as_str()))
        {
            Some(name) => Err(format!(
                "{name:?} is no layer with weights; there are {}",
                names.join(", ")
            )),
            None => Ok(()),
        }
    }

    /// A layer as the bound sees it; `folder` is where its files lie.
    ///
    /// # Errors
    /// A file that is none, or of another shape.
    pub(super) fn layer(
        &self,
        folder: &Path,
        name: &str,
        float: &Weights<f64>,
        reach: Codes,
    ) -> Result<QuantizedLayer, OwnSchemeError> {
        let layer = &self.layers[name];
        let weight = reals(folder, &layer.weight, float.weight.shape())?;
        let bias = match &layer.bias {
            Some(file) => reals(folder, file, &float.weight.shape()[..1])?.into_data(),
            None => Vec::new(),
        };
        Ok(QuantizedLayer::new(
            float,
            &weight,
            bias,
            layer.output.scale,
            reach,
            self.requantizer.arithmetic(),
        ))
    }
}

/// Finite values of this shape.
fn reals(folder: &Path, file: &str, shape: &[usize]) -> Result<Tensor<f64>, OwnSchemeError> {
    let path = folder.join(file);
    let most = (shape.iter().product::<usize>() as u64).saturating_mul(8) + (64 << 10);
    let wrong = |why: String| OwnSchemeError::file(&path, why);
    let bytes = plain(&path, most).map_err(wrong)?;
    let read = numbers(&bytes).map_err(|error| wrong(error.to_string()))?;
    if read.values.shape() != shape {
        let got = read.values.shape();
        return Err(wrong(format!("has shape {got:?}, expected {shape:?}")));
    }
    if read.is_integer() {
        return Err(wrong(format!(
            "has dtype {:?}, expected the real values that the codes stand for",
            read.descr
        )));
    }
    match read.values.data().iter().find(|value| !value.is_finite()) {
        Some(value) => Err(wrong(format!("holds {value}; expected finite values"))),
        None => Ok(read.values),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_at_most_16_bits_and_a_zero_among_them() {
        let check = |zero_point: i32, low: i32, high: i32| {
            let scale = 0.5;
            let codes = OwnCodes {
                scale,
                zero_point,
                low,
                high,
            };
            codes.check().is_ok()
        };
        assert!(check(0, -32768, 32767) && check(65535, 0, 65535) && check(-1, -1, 0));
        assert!(!check(0, -32769, 0) && !check(0, 0, 65536));
        assert!(!check(3, 3, 3) && !check(3, 4, 9) && !check(10, 4, 9));
    }

    #[test]
    fn a_multiplier_of_few_bits_is_half_a_unit_off() {
        let error = |multiplier| {
            let rounding = OwnRounding::Nearest;
            let of = Requantizer {
                multiplier,
                rounding,
            };
            of.arithmetic()
        };
        assert_eq!(error(Precision::Float32), FLOAT32_MULTIPLIER);
        // 128 is the least mantissa of 8 bits; float32's own rounding comes before it and after.
        let eight = 0.5 / 128.0;
        let expected = eight + FLOAT32_MULTIPLIER + eight * FLOAT32_MULTIPLIER;
        assert_eq!(error(Precision::Bits(8)), expected);
    }
}
