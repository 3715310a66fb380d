//! Accumulators to codes.

use std::fmt;
use std::sync::Arc;

use quant::Rounding;
use quant::contracts::sq8::Sq8Scale;
use quant::contracts::{Channel, Contract, ContractError, Recipe, Steps};

use super::Values;

/// The requantization of a weighted layer.
#[derive(Clone, Debug)]
pub struct Requantize {
    /// Scales, zero point and clamp of each output channel. In the relative convention the
    /// divisor s_O is the output scale, and the others are 1.
    pub channels: Vec<Channel>,
    /// The axis along which they lie.
    pub axis: usize,
    /// How an accumulator becomes a number of output steps.
    pub arithmetic: Arithmetic,
    /// What becomes of one beyond the codes.
    pub overflow: Overflow,
}

/// From an accumulator to the code before it is clamped, zero point included.
#[derive(Clone)]
pub enum Arithmetic {
    /// `round(f32(acc) / F(s_O)) + z` in float32: eq. 6 and 7.
    Division(Rounding),
    /// `round(acc · M) + z` in float64, `M = s_W·s_I/S_O`: eq. 22.
    Product(Rounding),
    /// A framework's; it clamps as well.
    Contract(&'static Contract),
    /// `(acc·S + 2^(N−1)) >> N` in int32, one S and N a channel: eq. 30. The zero point is in
    /// the bias. Floor leaves the half out; there is no other rounding.
    Sq8(Arc<[Sq8Scale]>, Rounding),
    /// Any function of the channel and the accumulator.
    Other(OfChannel),
}

/// A function of a channel and a number.
pub type OfChannel = Arc<dyn Fn(&Channel, f64) -> f64 + Send + Sync>;

impl Arithmetic {
    /// By a function of the channel and the accumulator.
    pub fn other(function: impl Fn(&Channel, f64) -> f64 + Send + Sync + 'static) -> Self {
        Self::Other(Arc::new(function))
    }

    /// The same arithmetic with another rounding, where it has one to exchange.
    pub fn with_rounding(&self, rounding: Rounding) -> Option<Self> {
        match self {
            Self::Division(_) => Some(Self::Division(rounding)),
            Self::Product(_) => Some(Self::Product(rounding)),
            Self::Sq8(scales, _) if matches!(rounding, Rounding::HalfUp | Rounding::Floor) => {
                Some(Self::Sq8(scales.clone(), rounding))
            }
            Self::Sq8(..) | Self::Contract(_) | Self::Other(_) => None,
        }
    }

    /// What it computes of the output channel `at`, as data: none of a function without a name.
    fn recipe(&self, at: usize, channel: &Channel) -> Option<Recipe> {
        let steps = match self {
            Self::Division(Rounding::TiesToEven) => Steps::Divide {
                divisor: channel.divisor(),
            },
            &Self::Product(rounding @ (Rounding::TiesToEven | Rounding::TiesAwayFromZero)) => {
                Steps::MultiplyDouble {
                    multiplier: channel.multiplier(),
                    rounding,
                }
            }
            Self::Contract(contract) => return contract.prepare(channel).ok()?.recipe(),
            Self::Sq8(scales, rounding) => scales[at].steps(0, *rounding),
            Self::Division(_) | Self::Product(_) | Self::Other(_) => return None,
        };
        Some(Recipe {
            steps,
            zero_point: match self {
                Self::Sq8(..) => 0,
                _ => channel.output_zero_point,
            },
            clamp: channel.clamp,
        })
    }

    /// The function of the output channel `at`.
    fn prepare(&self, at: usize, channel: &Channel) -> Result<Prepared, ContractError> {
        let channel = *channel;
        let z = f64::from(channel.output_zero_point);
        Ok(match self.clone() {
            Self::Division(rounding) => {
                let divisor = channel.divisor();
                Box::new(move |acc| rounding.round(f64::from(acc as f32 / divisor)) + z)
            }
            Self::Product(rounding) => {
                let multiplier = channel.multiplier();
                Box::new(move |acc| rounding.round(acc * multiplier) + z)
            }
            Self::Contract(contract) => {
                let prepared = contract.prepare(&channel)?;
                Box::new(move |acc| f64::from(prepared.requantize(acc as i32)))
            }
            Self::Sq8(scales, rounding) => {
                let scale = scales[at];
                // An int32: the network is proved not to leave it.
                Box::new(move |acc| f64::from(scale.apply(acc as i32, rounding)))
            }
            Self::Other(function) => Box::new(move |acc| function(&channel, acc)),
        })
    }
}

type Prepared = Box<dyn Fn(f64) -> f64>;

impl fmt::Debug for Arithmetic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Division(rounding) => write!(f, "Division({rounding:?})"),
            Self::Product(rounding) => write!(f, "Product({rounding:?})"),
            Self::Contract(contract) => write!(f, "Contract({})", contract.name),
            Self::Sq8(_, rounding) => write!(f, "Sq8({rounding:?})"),
            Self::Other(_) => f.write_str("Other"),
        }
    }
}

/// What becomes of a number that is no code.
#[derive(Clone)]
pub enum Overflow {
    /// The nearest code.
    Saturate,
    /// By a function of the channel and the number.
    Other(OfChannel),
}

impl Overflow {
    /// By a function of the channel and the number.
    pub fn other(function: impl Fn(&Channel, f64) -> f64 + Send + Sync + 'static) -> Self {
        Self::Other(Arc::new(function))
    }

    fn apply(&self, channel: &Channel, code: f64) -> f64 {
        match self {
            Self::Saturate => code.clamp(channel.clamp.low.into(), channel.clamp.high.into()),
            Self::Other(function) => function(channel, code),
        }
    }
}

impl fmt::Debug for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Saturate => "Saturate",
            Self::Other(_) => "Other",
        })
    }
}

impl Requantize {
    /// Whether both are seen to make the same codes: what their arithmetic takes of the scales
    /// is equal.
    pub(super) fn is(&self, other: &Self) -> bool {
        type Same = fn(&Channel, &Channel) -> bool;
        let same: Same = match (&self.arithmetic, &other.arithmetic) {
            (Arithmetic::Division(a), Arithmetic::Division(b)) if a == b => {
                |a, b| a.divisor() == b.divisor()
            }
            (Arithmetic::Product(a), Arithmetic::Product(b)) if a == b => {
                |a, b| a.multiplier() == b.multiplier()
            }
            (Arithmetic::Contract(a), Arithmetic::Contract(b)) if a == b => |a, b| a == b,
            (Arithmetic::Sq8(a, by), Arithmetic::Sq8(b, other)) if (a, by) == (b, other) => {
                |_, _| true
            }
            _ => return false,
        };
        let of_codes = |channel: &Channel| (channel.output_zero_point, channel.clamp);
        matches!(
            (&self.overflow, &other.overflow),
            (Overflow::Saturate, Overflow::Saturate)
        ) && self.axis == other.axis
            && self.channels.len() == other.channels.len()
            && (self.channels.iter().zip(&other.channels))
                .all(|(a, b)| of_codes(a) == of_codes(b) && same(a, b))
    }

    /// Whether every channel has numbers in this arithmetic.
    ///
    /// # Errors
    /// The first channel that has none.
    pub fn check(&self) -> Result<(), ContractError> {
        for (at, channel) in self.channels.iter().enumerate() {
            self.arithmetic.prepare(at, channel).map(drop)?;
        }
        Ok(())
    }

    /// What it computes of each output channel, as data.
    ///
    /// None where it is no framework's arithmetic, nor Karat's own, or where a code that is
    /// out of range does not become the nearest one.
    pub fn recipes(&self) -> Option<Vec<Recipe>> {
        match self.overflow {
            Overflow::Saturate => (self.channels.iter().enumerate())
                .map(|(at, channel)| self.arithmetic.recipe(at, channel))
                .collect(),
            Overflow::Other(_) => None,
        }
    }

    /// A channel that the arithmetic has no numbers for gives NaN, which equals no code.
    pub(super) fn run(&self, accumulators: &Values) -> Values {
        let prepared: Vec<Prepared> = (self.channels.iter().enumerate())
            .map(|(at, channel)| {
                (self.arithmetic.prepare(at, channel)).unwrap_or_else(|_| Box::new(|_| f64::NAN))
            })
            .collect();
        let count = self.channels.len().max(1);
        accumulators.map_along(self.axis, |at, acc| {
            // A division of every value would take longer than its code.
            let channel = if at < count { at } else { at % count };
            self.overflow
                .apply(&self.channels[channel], prepared[channel](acc))
        })
    }

    /// The number of output steps of an accumulator before rounding: the float32 quotient of
    /// a division, the product with `S·2^−N` of SQ8, else the float64 product with
    /// `s_W·s_I/S_O`, which a contract or another function approximates in its own way.
    pub fn number(&self, channel: usize, acc: f64) -> f64 {
        let at = channel % self.channels.len().max(1);
        let channel = &self.channels[at];
        match &self.arithmetic {
            Arithmetic::Division(_) => f64::from(acc as f32 / channel.divisor()),
            Arithmetic::Sq8(scales, _) => acc * scales[at].factor(),
            _ => acc * channel.multiplier(),
        }
    }

    /// How many steps of an accumulator are one of the output.
    pub fn steps(&self, channel: usize) -> f64 {
        match &self.arithmetic {
            Arithmetic::Sq8(scales, _) => 1.0 / scales[channel].factor(),
            _ => {
                let channel = &self.channels[channel];
                channel.output_scale / (channel.input_scale * channel.weight_scale)
            }
        }
    }

    /// One code, and the number before it was made one.
    pub fn one(&self, channel: usize, acc: f64) -> (f64, f64) {
        let at = channel % self.channels.len().max(1);
        let channel = &self.channels[at];
        let before =
            (self.arithmetic.prepare(at, channel)).map_or(f64::NAN, |prepared| prepared(acc));
        (before, self.overflow.apply(channel, before))
    }
}
