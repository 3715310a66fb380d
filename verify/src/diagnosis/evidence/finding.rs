//! What a finding may be, and how it is said.

use std::fmt;

use serde::Serialize;

/// One fact.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Finding {
    /// The tensors are not of one shape: nothing below that compares values is said.
    Shapes {
        /// The right one.
        expected: Vec<usize>,
        /// The backend's.
        observed: Vec<usize>,
    },
    /// NaN or ±∞ among the observed values.
    NotNumbers {
        /// How many.
        count: usize,
    },
    /// Numbers that are no integers.
    NotIntegers {
        /// How many.
        count: usize,
    },
    /// Numbers beyond the codes there are.
    OutsideCodes {
        /// How many.
        count: usize,
        /// Lowest code.
        low: i32,
        /// Highest code.
        high: i32,
    },
    /// Two or more, all on one side.
    OneSign {
        /// Whether the observed values are the larger ones.
        above: bool,
    },
    /// Every difference is +1 or −1.
    OffByOne,
    /// Only where the number that is rounded lies halfway between two integers.
    AtTies {
        /// How many values depend on a tie, differing or not.
        ties: usize,
    },
    /// Only where a window touches padding or, where nothing is padded, in the outermost rows
    /// and columns.
    AtBorders {
        /// Whether padding makes the border.
        padding: bool,
    },
    /// In fewer than half of the channels (axis 1).
    Channels {
        /// Which, in order.
        channels: Vec<usize>,
        /// Of how many.
        of: usize,
    },
    /// In one image of several.
    OneImage {
        /// Which.
        image: usize,
        /// Of how many.
        of: usize,
    },
    /// Only where the right or the observed value is the lowest or the highest there is.
    Saturated {
        /// Lowest code after the activation.
        low: f64,
        /// Highest code.
        high: f64,
    },
    /// Each image holds the right values in another order.
    Rearranged {
        /// Which order, where it is a simple one.
        arrangement: Option<Arrangement>,
    },
    /// `observed − z` is a multiple of `expected − z` by a factor in this interval, but for
    /// the rounding of codes to nearest and for saturated values.
    Factor {
        /// Its least value.
        low: f64,
        /// Its largest value; the same for accumulators.
        high: f64,
    },
    /// `observed = expected + by`, but for saturated values.
    Shift {
        /// In codes (or accumulator steps).
        by: f64,
    },
    /// Every difference, from the right value or from the one before saturation, is a multiple
    /// of a power of two that integers wrap at.
    Wraps {
        /// 256 or 65536.
        modulus: u32,
    },
}

/// An order of an image's values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Arrangement {
    /// Laid out with these axes, slowest first: `HWC`, `CWH`.
    Axes {
        /// A permutation of `CHW`.
        axes: String,
    },
    /// These axes run backwards: `C`, `H`, `W` or `HW`.
    Reversed {
        /// The axes.
        axes: String,
    },
    /// Whole channels in another order.
    Channels {
        /// The right channel that stands at each place.
        order: Vec<usize>,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shapes { expected, observed } => {
                write!(f, "the shape is {observed:?}, not {expected:?}")
            }
            Self::NotNumbers { count } => write!(f, "{count} values are NaN or infinite"),
            Self::NotIntegers { count } => write!(f, "{count} values are no integers"),
            Self::OutsideCodes { count, low, high } => {
                write!(f, "{count} values lie outside of the codes {low} to {high}")
            }
            Self::OneSign { above } => {
                let side = if *above { "above" } else { "below" };
                write!(f, "all of them lie {side} the right value")
            }
            Self::OffByOne => write!(f, "every difference is one"),
            Self::AtTies { ties } => write!(
                f,
                "only where the number before rounding ends in ½ ({ties} values depend on one)"
            ),
            Self::AtBorders { padding: true } => {
                write!(f, "only where a window touches padding")
            }
            Self::AtBorders { padding: false } => {
                write!(f, "only in the outermost rows and columns")
            }
            Self::Channels { channels, of } => {
                let shown: Vec<String> = (channels.iter().take(SHOWN))
                    .map(ToString::to_string)
                    .collect();
                let more = match channels.len().saturating_sub(SHOWN) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                let plural = if channels.len() == 1 { "" } else { "s" };
                write!(
                    f,
                    "only in channel{plural} {}{more} of {of}",
                    shown.join(", ")
                )
            }
            Self::OneImage { image, of } => write!(f, "only in image {image} of {of}"),
            Self::Saturated { low, high } => write!(
                f,
                "only where the right or the observed value is {low} or {high}, the ends of the codes"
            ),
            Self::Rearranged { arrangement } => {
                write!(f, "each image holds the right values in another order")?;
                match arrangement {
                    None => Ok(()),
                    Some(Arrangement::Axes { axes }) => write!(f, ": {axes} for CHW"),
                    Some(Arrangement::Reversed { axes }) => write!(f, ": {axes} backwards"),
                    Some(Arrangement::Channels { order }) => {
                        let shown = &order[..order.len().min(2 * SHOWN)];
                        let more = if shown.len() < order.len() {
                            ", …"
                        } else {
                            ""
                        };
                        write!(f, ": channels {shown:?}{more}")
                    }
                }
            }
            Self::Factor { low, high } if low == high => {
                write!(f, "the right values times {low}")
            }
            Self::Factor { low, high } => write!(
                f,
                "the right values times {low:.4} to {high:.4}, but for rounding and saturation"
            ),
            Self::Shift { by } => {
                write!(f, "the right values plus {by}, but for saturation")
            }
            Self::Wraps { modulus } => {
                write!(
                    f,
                    "every difference is a multiple of {modulus}: integers that wrap"
                )
            }
        }
    }
}

/// How many channels are listed.
const SHOWN: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_and_factors_are_said_as_long_as_they_fit() {
        let channels = |count: usize| {
            let order = (0..count).rev().collect();
            let arrangement = Some(Arrangement::Channels { order });
            Finding::Rearranged { arrangement }.to_string()
        };
        let start = "each image holds the right values in another order: channels ";
        let whole: Vec<usize> = (0..16).rev().collect();
        assert_eq!(channels(16), format!("{start}{whole:?}"));
        let first: Vec<usize> = (1..17).rev().collect();
        assert_eq!(channels(17), format!("{start}{first:?}, …"));
        let factor = |low: f64, high: f64| Finding::Factor { low, high }.to_string();
        assert_eq!(factor(0.5, 0.5), "the right values times 0.5");
        assert_eq!(
            factor(0.49, 0.51),
            "the right values times 0.4900 to 0.5100, but for rounding and saturation"
        );
    }
}
