//! The one step of a segment that rounds, and what becomes of its ties.

use std::sync::Arc;

use reference::Tensor;

use super::Segment;
use crate::model::{MeanRounding, Requantize, Step, Values};

/// A segment's only rounding step, and its input.
pub(super) struct Rounded<'a> {
    segment: &'a Segment<'a>,
    /// Which node.
    node: usize,
    /// What the right model gives to it.
    input: Values,
}

impl<'a> Rounded<'a> {
    /// None where no step rounds or more than one does.
    pub(super) fn new(segment: &'a Segment<'a>) -> Option<Self> {
        let rounds = |node: &usize| {
            matches!(
                segment.model.nodes[*node].step,
                Step::Quantize(_) | Step::Requantize(_) | Step::AveragePool(_)
            )
        };
        let mut rounding = segment.nodes.clone().filter(rounds);
        let node = rounding.next().filter(|_| rounding.next().is_none())?;
        let mut input = segment.input.clone();
        for step in segment.model.steps(segment.nodes.start..node) {
            input = step.run(&input).ok()?;
        }
        Some(Self {
            segment,
            node,
            input,
        })
    }

    /// The segment's output with every tie rounded down, and with every tie rounded up; all
    /// other numbers as they should be.
    pub(super) fn both_ways(&self) -> Option<[Values; 2]> {
        let step = &self.segment.model.nodes[self.node].step;
        let outputs = [f64::floor, f64::ceil].map(|tie: fn(f64) -> f64| {
            let codes = match step {
                Step::Quantize(quantize) => {
                    let z = f64::from(quantize.params.zero_point);
                    // The channels are put in order by the step itself: only there do ties move.
                    let codes = step.run(&self.input).ok()?;
                    let straight = (quantize.channels.iter().enumerate()).all(|(a, b)| a == *b);
                    let pixels = self.input.data();
                    change(&codes, |at, code| {
                        match f64::from(quantize.numbers(pixels[at]).1) {
                            number if straight && is_tie(number) => {
                                f64::from(quantize.params.grid.clamp(tie(number) + z))
                            }
                            _ => code,
                        }
                    })
                }
                Step::Requantize(requantize) => self.requantized(requantize, tie)?,
                Step::AveragePool(pool) => {
                    let mut pool = pool.clone();
                    let MeanRounding::Rule(rule) = pool.rounding else {
                        return None;
                    };
                    pool.rounding = MeanRounding::Other(Arc::new(move |sum, count| {
                        let mean = sum as f64 / count as f64;
                        let rounded = if is_tie(mean) {
                            tie(mean)
                        } else {
                            rule.round(mean)
                        };
                        rounded as i64
                    }));
                    Step::AveragePool(pool).run(&self.input).ok()?
                }
                _ => return None,
            };
            let mut x = codes;
            for step in self
                .segment
                .model
                .steps(self.node + 1..self.segment.nodes.end)
            {
                x = step.run(&x).ok()?;
            }
            Some(x)
        });
        let [down, up] = outputs;
        Some([down?, up?])
    }

    fn requantized(&self, requantize: &Requantize, tie: fn(f64) -> f64) -> Option<Values> {
        let codes = Step::Requantize(requantize.clone()).run(&self.input).ok()?;
        let (extent, step) = along(self.input.shape(), requantize.axis);
        let accumulators = self.input.data();
        Some(change(&codes, |at, code| {
            let o = at / step % extent;
            let number = requantize.number(o, accumulators[at]);
            if !is_tie(number) {
                return code;
            }
            let channel = &requantize.channels[o % requantize.channels.len()];
            (tie(number) + f64::from(channel.output_zero_point))
                .clamp(channel.clamp.low.into(), channel.clamp.high.into())
        }))
    }

    /// The numbers before they are made codes of the output, where the rounding step is a
    /// requantization and the segment's last.
    pub(super) fn unclamped(&self) -> Option<Values> {
        let Step::Requantize(requantize) = &self.segment.model.nodes[self.node].step else {
            return None;
        };
        if self.node + 1 != self.segment.nodes.end || requantize.channels.is_empty() {
            return None;
        }
        let (extent, step) = along(self.input.shape(), requantize.axis);
        Some(change(&self.input, |at, acc| {
            requantize.one(at / step % extent, acc).0
        }))
    }
}

/// Whether a number lies halfway between two integers.
fn is_tie(number: f64) -> bool {
    (number - number.floor()) * 2.0 == 1.0
}

/// The size of an axis (1 where there is none) and how far apart its positions lie.
fn along(shape: &[usize], axis: usize) -> (usize, usize) {
    let extent = shape.get(axis).copied().unwrap_or(1);
    (
        extent.max(1),
        shape.iter().skip(axis + 1).product::<usize>().max(1),
    )
}

fn change(values: &Values, mut f: impl FnMut(usize, f64) -> f64) -> Values {
    let mut changed: Tensor<f64> = values.clone();
    for (at, value) in changed.data_mut().iter_mut().enumerate() {
        *value = f(at, *value);
    }
    changed
}
