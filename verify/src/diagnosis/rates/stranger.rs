//! Ways to be wrong (or right) that no mistake describes.

use std::fmt;

use quant::prove::Random;
use reference::ShapeError;

use crate::backend::{Probe, Trial};
use crate::model::{Accumulate, Requantize, Step, Values};

/// What was done to a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// Nothing.
    Right,
    /// Some bits of the output's codes are flipped.
    OutputBits,
    /// One bit of one weight is flipped.
    WeightBit,
    /// A bias is off by a few.
    Bias,
    /// The multiplier is off by a random factor.
    Multiplier,
    /// Two channels of the output are exchanged.
    Channels,
    /// Rows of the weights are in a random order.
    Order,
    /// Random codes are off by one.
    Noise,
}

impl Stranger {
    const ALL: [Self; 8] = [
        Self::Right,
        Self::OutputBits,
        Self::WeightBit,
        Self::Bias,
        Self::Multiplier,
        Self::Channels,
        Self::Order,
        Self::Noise,
    ];
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Right => "right",
            Self::OutputBits => "bits of the output flipped",
            Self::WeightBit => "a bit of a weight flipped",
            Self::Bias => "a bias off by a few",
            Self::Multiplier => "another multiplier",
            Self::Channels => "two channels exchanged",
            Self::Order => "weights in a random order",
            Self::Noise => "codes off by one at random",
        })
    }
}

/// A random stranger, and the codes that it makes of a probe. One that does not apply to the
/// layer leaves it right.
pub(super) fn observe(
    trial: &Trial,
    probe: &Probe,
    random: &mut Random,
) -> Result<(Stranger, Values), ShapeError> {
    let stranger = Stranger::ALL[random.below(Stranger::ALL.len())];
    let mut output = probe.input.clone();
    let mut applied = false;
    for node in probe.nodes.clone() {
        let mut step = trial.model.nodes[node].step.clone();
        applied |= match &mut step {
            Step::Accumulate(sums) => change_sums(stranger, sums, random),
            Step::Requantize(requantize) => change_scales(stranger, requantize, random),
            _ => false,
        };
        output = step.run(&output)?;
    }
    applied |= change_output(stranger, &mut output, random);
    Ok((if applied { stranger } else { Stranger::Right }, output))
}

fn change_sums(stranger: Stranger, sums: &mut Accumulate, random: &mut Random) -> bool {
    let weights = sums.weight.data().len();
    match stranger {
        Stranger::WeightBit => {
            let weight = &mut sums.weight.data_mut()[random.below(weights)];
            *weight = i32::from((*weight as i8) ^ (1 << random.below(7)));
        }
        Stranger::Bias => {
            let channel = random.below(sums.bias.len());
            sums.bias[channel] += 1 + random.below(5000) as i64;
        }
        Stranger::Order => {
            for at in (1..weights).rev() {
                let other = random.below(at + 1);
                sums.weight.data_mut().swap(at, other);
            }
        }
        _ => return false,
    }
    true
}

fn change_scales(stranger: Stranger, requantize: &mut Requantize, random: &mut Random) -> bool {
    if stranger != Stranger::Multiplier {
        return false;
    }
    // Not a power of two, and far from the roundings of a scale.
    let factor = 1.0 + f64::from(random.unit()) * 0.3;
    for channel in &mut requantize.channels {
        channel.output_scale *= factor;
    }
    true
}

fn change_output(stranger: Stranger, output: &mut Values, random: &mut Random) -> bool {
    let count = output.data().len();
    let mut some = |random: &mut Random, f: &dyn Fn(f64, &mut Random) -> f64| {
        for _ in 0..1 + random.below(20) {
            let code = &mut output.data_mut()[random.below(count)];
            *code = f(*code, random);
        }
    };
    match stranger {
        Stranger::OutputBits => some(random, &|code, random| {
            f64::from((code as i32 as u8 ^ (1 << random.below(8))) as i8)
        }),
        Stranger::Noise => some(random, &|code, random| {
            let step = if random.one_in(2) { 1.0 } else { -1.0 };
            (code + step).clamp(-128.0, 127.0)
        }),
        Stranger::Channels => {
            let [channels, plane] = match *output.shape() {
                [_, c, h, w] => [c, h * w],
                _ => [output.item_len(), 1],
            };
            let (a, b) = (random.below(channels), random.below(channels));
            let item = channels * plane;
            for at in 0..count / item.max(1) * plane {
                let start = at / plane * item + at % plane;
                output.data_mut().swap(start + a * plane, start + b * plane);
            }
        }
        _ => return false,
    }
    true
}
