//! Why NNTool's `OUT_SCALE` is another number than a scale made by hand: one thing is changed
//! after the other, and each has its factor.

use num_rational::BigRational;
use reference::{Network, Weights};

use super::{NodeRanges, SdkRelease, Sq8Network, Sq8Options, Sq8Params};
use crate::calibrator::Ranges;
use crate::observers::Range;
use crate::scheme::Granularity;
use crate::{QuantError, QuantNetwork, Rounding};

/// What is changed, in this order. Another order would give other shares of the same whole.
pub const CHANGES: [Change; 7] = [
    Change {
        name: "convention",
        what: "the scale is the real size of an output code, the largest output over 127, not the \
               divisor s_O of an accumulator (eq. 10, 13)",
    },
    Change {
        name: "range rule",
        what: "the code −128 is used: a range that reaches further below 0 than above is divided \
               by 128 (eq. 23)",
    },
    Change {
        name: "ReLU",
        what: "what a ReLU takes away is not in the range of its layer",
    },
    Change {
        name: "weights",
        what: "a scale for each output channel: the real size of an output code does not depend \
               on it, though s_O would",
    },
    Change {
        name: "zero points",
        what: "the codes of a ReLU's output are all 256, from z = −128 on (eq. 24; release 4.22)",
    },
    Change {
        name: "images",
        what: "the ranges are those of other images",
    },
    Change {
        name: "normalization",
        what: "the pixels are normalized otherwise than in training",
    },
];

/// One thing that is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// In a word.
    pub name: &'static str,
    /// What is otherwise from there on.
    pub what: &'static str,
}

/// What a network's nodes were seen to be, three times.
#[derive(Clone, Copy, Debug)]
pub struct Observations<'a> {
    /// On the images that the scales were made of by hand.
    pub by_hand: &'a NodeRanges,
    /// On the images that NNTool was given.
    pub other_images: &'a NodeRanges,
    /// On the same, normalized as NNTool was told.
    pub other_normalization: &'a NodeRanges,
}

/// The output scale of a weighted layer, and what becomes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct OutScale {
    /// The layer.
    pub layer: String,
    /// s_O made by hand by max-abs in the relative convention, then after each of [`CHANGES`].
    pub values: [f64; CHANGES.len() + 1],
}

impl OutScale {
    /// Every weighted layer of a network without a log-softmax at its end.
    ///
    /// # Errors
    /// Ranges that are not one for each layer, or a layer that cannot be quantized.
    pub fn of_layers(
        float: &Network<Weights<f32>>,
        seen: &Observations,
    ) -> Result<Vec<Self>, QuantError> {
        let own: Vec<_> = (float.layers().iter().zip(&seen.by_hand.outputs))
            .filter(|(layer, _)| layer.weights().is_some())
            .map(|(_, range)| *range)
            .collect();
        let largest = |range: &Range| range.high.max(-range.low);
        let ranges = Ranges {
            input: largest(&seen.by_hand.input),
            outputs: own.iter().map(largest).collect(),
        };
        let by_hand = QuantNetwork::quantize(float, &ranges, Rounding::TiesToEven)?;
        let sq8 = |ranges, release: SdkRelease, weights| {
            let options = Sq8Options {
                weights,
                ..release.options()
            };
            let network = Sq8Network::quantize(float, ranges, &options)?;
            let scales = network.network().weighted();
            Ok::<Vec<f64>, QuantError>(scales.map(|(_, layer)| layer.output.scale()).collect())
        };
        let (whole, each) = (Granularity::PerTensor, Granularity::PerChannel);
        let relu = sq8(seen.by_hand, SdkRelease::V4_13, whole)?;
        let weights = sq8(seen.by_hand, SdkRelease::V4_13, each)?;
        let shifted = sq8(seen.by_hand, SdkRelease::V4_22, each)?;
        let images = sq8(seen.other_images, SdkRelease::V4_22, each)?;
        let normalized = sq8(seen.other_normalization, SdkRelease::V4_22, each)?;
        (by_hand.network().weighted().enumerate())
            .map(|(at, (name, layer))| {
                Ok(Self {
                    layer: name.to_owned(),
                    values: [
                        layer.output_scale.wide(),
                        f64::from(ranges.outputs[at]) / 127.0,
                        Sq8Params::symmetric(own[at])?.scale(),
                        relu[at],
                        weights[at],
                        shifted[at],
                        images[at],
                        normalized[at],
                    ],
                })
            })
            .collect()
    }

    /// The exact factor by which each of [`CHANGES`] changes the scale.
    pub fn factors(&self) -> Vec<BigRational> {
        (self.values.windows(2))
            .filter_map(|pair| ratio(pair[1], pair[0]))
            .collect()
    }

    /// The exact ratio of NNTool's scale to the one made by hand: the product of the factors.
    pub fn whole(&self) -> Option<BigRational> {
        ratio(self.values[CHANGES.len()], self.values[0])
    }
}

/// Of positive finite numbers.
fn ratio(a: f64, b: f64) -> Option<BigRational> {
    Some(BigRational::from_float(a)? / BigRational::from_float(b)?)
}
