//! The channels of a network, each with the accumulators that its weights can reach.

use std::ops::RangeInclusive;

use super::{Channel, Clamp};
use crate::affine::{AffineNetwork, AffineWeights};
use crate::scheme::{Granularity, QuantParams};

/// One output channel of a weighted layer.
#[derive(Clone, Debug, PartialEq)]
pub struct ReachableChannel {
    /// Name of the layer.
    pub layer: String,
    /// Index of the channel.
    pub index: usize,
    /// Scales, output codes and zero point.
    pub channel: Channel,
    /// The least and the greatest accumulator over all inputs, bias included.
    pub accumulators: RangeInclusive<i64>,
}

/// Every output channel of every weighted layer, in order. The codes of a layer's input are
/// taken to be all of its grid, and the output's to be all of its own: ReLU may come later.
pub fn channels(network: &AffineNetwork) -> Vec<ReachableChannel> {
    let mut input = network.input();
    let mut found = Vec::new();
    for (layer, weights) in network.network().weighted() {
        let granularity = match weights.params.len() {
            1 => Granularity::PerTensor,
            _ => Granularity::PerChannel,
        };
        for index in 0..weights.multipliers.len() {
            let output = &weights.output;
            found.push(ReachableChannel {
                layer: layer.to_owned(),
                index,
                channel: Channel {
                    clamp: Clamp {
                        low: output.grid.low(),
                        high: output.grid.high(),
                    },
                    granularity,
                    ..Channel::int8(
                        input.scale.wide(),
                        weights.channel(index).scale.wide(),
                        output.scale.wide(),
                        output.zero_point,
                    )
                },
                accumulators: accumulators(weights, index, input),
            });
        }
        input = &weights.output;
    }
    found
}

/// `Σ min(w·x) + b` and `Σ max(w·x) + b` over w = w_q − z_w and the least and greatest
/// x = x_q − z_x. A padded tap has x = 0, which lies between.
fn accumulators(weights: &AffineWeights, index: usize, input: &QuantParams) -> RangeInclusive<i64> {
    let ends = [input.grid.low(), input.grid.high()].map(|code| i64::from(code - input.zero_point));
    let zero_point = weights.channel(index).zero_point;
    let bias = weights.bias.as_ref().map_or(0, |bias| bias[index]);
    let (mut low, mut high) = (bias, bias);
    for &code in weights.codes.item(index) {
        let products = ends.map(|x| i64::from(code - zero_point) * x);
        low += products[0].min(products[1]);
        high += products[0].max(products[1]);
    }
    low..=high
}
