//! What holds of all values that differ, of two tensors of one shape.

use super::padding::padding_mask;
use super::{Arrangement, Finding};
use crate::diagnosis::Segment;
use crate::diagnosis::rounded::Rounded;
use crate::model::{Node, Step};

/// What 8 and 16 bits wrap at.
const MODULI: [u32; 2] = [1 << 16, 1 << 8];

/// Two tensors of one shape that differ.
pub(super) struct Pairs<'a> {
    segment: &'a Segment<'a>,
    expected: &'a [f64],
    observed: &'a [f64],
    shape: &'a [usize],
    /// Where they differ, row-major.
    at: Vec<usize>,
    edges: Option<[f64; 2]>,
}

impl<'a> Pairs<'a> {
    pub(super) fn new(segment: &'a Segment<'a>) -> Self {
        let (expected, observed) = (segment.expected.data(), segment.observed.data());
        Self {
            segment,
            expected,
            observed,
            shape: segment.expected.shape(),
            at: (0..expected.len())
                .filter(|&at| expected[at] != observed[at])
                .collect(),
            edges: segment.edges(),
        }
    }

    fn difference(&self, at: usize) -> f64 {
        self.observed[at] - self.expected[at]
    }

    /// Of the differing values.
    fn all(&self, holds: impl Fn(usize) -> bool) -> bool {
        self.at.iter().all(|&at| holds(at))
    }

    pub(super) fn largest(&self) -> Option<f64> {
        (self.at.iter())
            .map(|&at| self.difference(at).abs())
            .filter(|size| size.is_finite())
            .reduce(f64::max)
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        let several = self.at.len() > 1;
        let sign = [true, false].into_iter().find(|&above| {
            several
                && self.all(|at| self.difference(at) != 0.0 && (self.difference(at) > 0.0) == above)
        });
        let one = self.all(|at| self.difference(at).abs() == 1.0);
        [
            // NaN is neither above nor below.
            sign.filter(|_| self.all(|at| !self.difference(at).is_nan()))
                .map(|above| Finding::OneSign { above }),
            one.then_some(Finding::OffByOne),
            self.ties(),
            self.borders(),
            self.channels(),
            self.one_image(),
            self.saturated(),
            self.rearranged(),
            self.factor(),
            self.shift(),
            self.wraps(),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn ties(&self) -> Option<Finding> {
        let [down, up] = Rounded::new(self.segment)?.both_ways()?;
        let tie = |at: usize| down.data()[at] != up.data()[at];
        let ties = (0..self.expected.len()).filter(|&at| tie(at)).count();
        self.all(tie).then_some(Finding::AtTies { ties })
    }

    fn borders(&self) -> Option<Finding> {
        let &[_, _, height, width] = self.shape else {
            return None;
        };
        let padded = padding_mask(self.segment);
        let outermost = |y: usize, x: usize| y == 0 || x == 0 || y + 1 == height || x + 1 == width;
        let (padding, is_border): (bool, Box<dyn Fn(usize, usize) -> bool>) = match &padded {
            Some(mask) => (true, Box::new(|y, x| mask[[0, 0, y, x]] != 0.0)),
            None => (false, Box::new(outermost)),
        };
        let place = |at: usize| (at / width % height, at % width);
        // Where everything is border, it says nothing.
        let inside = (0..height * width).any(|at| !is_border(at / width, at % width));
        let all = self.all(|at| {
            let (y, x) = place(at);
            is_border(y, x)
        });
        (inside && all).then_some(Finding::AtBorders { padding })
    }

    fn channels(&self) -> Option<Finding> {
        let of = *self.shape.get(1)?;
        let plane: usize = self.shape[2..].iter().product();
        let mut seen = vec![false; of];
        for &at in &self.at {
            seen[at / plane % of] = true;
        }
        let channels: Vec<usize> = (0..of).filter(|&channel| seen[channel]).collect();
        (2 * channels.len() < of).then_some(Finding::Channels { channels, of })
    }

    fn one_image(&self) -> Option<Finding> {
        let of = *self.shape.first()?;
        let item = self.segment.expected.item_len();
        let image = self.at.first()? / item;
        (of > 1 && self.all(|at| at / item == image)).then_some(Finding::OneImage { image, of })
    }

    fn is_saturated(&self, at: usize) -> bool {
        self.edges.is_some_and(|edges| {
            edges.contains(&self.expected[at]) || edges.contains(&self.observed[at])
        })
    }

    fn saturated(&self) -> Option<Finding> {
        let [low, high] = self.edges?;
        self.all(|at| self.is_saturated(at))
            .then_some(Finding::Saturated { low, high })
    }

    fn rearranged(&self) -> Option<Finding> {
        let item = self.segment.expected.item_len();
        let sorted = |values: &[f64]| {
            let mut sorted = values.to_vec();
            sorted.sort_by(f64::total_cmp);
            sorted
        };
        let images = |values: &'a [f64]| values.chunks(item.max(1));
        let same = (images(self.expected).zip(images(self.observed)))
            .all(|(expected, observed)| sorted(expected) == sorted(observed));
        same.then(|| Finding::Rearranged {
            arrangement: self.map_shape().and_then(|shape| self.arrangement(shape)),
        })
    }

    /// Channels, rows and columns of the output, or of what was flattened to it.
    fn map_shape(&self) -> Option<[usize; 3]> {
        match *self.shape {
            [_, c, h, w] => Some([c, h, w]),
            _ => {
                let last = self.segment.nodes.end.checked_sub(1)?;
                let before = &self.segment.model.nodes.get(last.checked_sub(1)?)?.shape;
                match (&self.segment.model.nodes[last].step, &before[..]) {
                    (Step::Flatten(_), &[_, c, h, w]) => Some([c, h, w]),
                    _ => None,
                }
            }
        }
    }

    fn arrangement(&self, [c, h, w]: [usize; 3]) -> Option<Arrangement> {
        let item = c * h * w;
        if item != self.segment.expected.item_len() {
            return None;
        }
        // Whether every image holds, in order, the right values at these places.
        let holds = |places: &[usize]| {
            (self.expected.chunks(item).zip(self.observed.chunks(item))).all(
                |(expected, observed)| {
                    (places.iter().zip(observed)).all(|(&place, x)| expected[place] == *x)
                },
            )
        };
        let sizes = [c, h, w];
        let steps = [h * w, w, 1];
        let name = |axes: &[usize]| axes.iter().map(|&axis| ['C', 'H', 'W'][axis]).collect();
        for axes in [[1, 2, 0], [0, 2, 1], [2, 1, 0], [1, 0, 2], [2, 0, 1]] {
            let [a, b, d] = axes;
            let places: Vec<usize> = (0..sizes[a])
                .flat_map(|i| (0..sizes[b]).map(move |j| (i, j)))
                .flat_map(|(i, j)| {
                    (0..sizes[d]).map(move |k| i * steps[a] + j * steps[b] + k * steps[d])
                })
                .collect();
            if holds(&places) {
                return Some(Arrangement::Axes { axes: name(&axes) });
            }
        }
        for axes in [&[0][..], &[1], &[2], &[1, 2]] {
            let places: Vec<usize> = (0..item)
                .map(|at| {
                    (0..3)
                        .map(|axis| {
                            let along = at / steps[axis] % sizes[axis];
                            let from = match axes.contains(&axis) {
                                true => sizes[axis] - 1 - along,
                                false => along,
                            };
                            from * steps[axis]
                        })
                        .sum()
                })
                .collect();
            if holds(&places) {
                return Some(Arrangement::Reversed { axes: name(axes) });
            }
        }
        let order: Option<Vec<usize>> = (0..c)
            .map(|to| (0..c).find(|&from| self.same_channel(from, to, c, h * w)))
            .collect();
        let order = order?;
        let places: Vec<usize> = (order.iter())
            .flat_map(|&from| (0..h * w).map(move |at| from * h * w + at))
            .collect();
        let all = (0..c).all(|channel| order.contains(&channel));
        (all && holds(&places)).then_some(Arrangement::Channels { order })
    }

    /// Whether the observed channel `to` is the right channel `from` in every image.
    fn same_channel(&self, from: usize, to: usize, channels: usize, plane: usize) -> bool {
        let image = channels * plane;
        (self.expected.chunks(image).zip(self.observed.chunks(image))).all(
            |(expected, observed)| {
                expected[from * plane..][..plane] == observed[to * plane..][..plane]
            },
        )
    }

    /// The code that stands for 0.
    fn zero(&self) -> f64 {
        (self.segment.last().and_then(|node| node.params))
            .map_or(0.0, |params| params.zero_point.into())
    }

    /// Half a step on either side where codes were rounded to nearest.
    fn slack(&self) -> f64 {
        let exact = self.segment.last().is_none_or(Node::is_accumulators);
        if exact { 0.0 } else { 0.5 }
    }

    fn factor(&self) -> Option<Finding> {
        let (z, slack) = (self.zero(), self.slack());
        let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
        let (mut differing, mut near_zero) = (0, Vec::new());
        for at in 0..self.expected.len() {
            if self.is_saturated(at) {
                continue;
            }
            let (e, o) = (self.expected[at] - z, self.observed[at] - z);
            if !o.is_finite() {
                return None;
            }
            if e.abs() <= slack {
                near_zero.push(o);
                continue;
            }
            differing += usize::from(e != o);
            // o = k·r + ε, e = r + δ with |ε|, |δ| ≤ slack.
            let corners = [-slack, slack]
                .into_iter()
                .flat_map(|up| [-slack, slack].map(|down| (o + up) / (e + down)));
            let (least, most) = corners.fold((f64::INFINITY, f64::NEG_INFINITY), |range, k| {
                (range.0.min(k), range.1.max(k))
            });
            (low, high) = (low.max(least), high.min(most));
        }
        let reach = slack + slack * low.abs().max(high.abs());
        // 1 among them: not a factor, then, explains the difference.
        let found = differing > 1
            && low <= high
            && !(low..=high).contains(&1.0)
            && near_zero.iter().all(|o| o.abs() <= reach);
        found.then_some(Finding::Factor { low, high })
    }

    fn shift(&self) -> Option<Finding> {
        let (mut by, mut compared) = (None, 0);
        for at in (0..self.expected.len()).filter(|&at| !self.is_saturated(at)) {
            let difference = self.difference(at);
            if *by.get_or_insert(difference) != difference {
                return None;
            }
            compared += 1;
        }
        let by = by.filter(|by| by.is_finite() && *by != 0.0 && compared > 1)?;
        Some(Finding::Shift { by })
    }

    fn wraps(&self) -> Option<Finding> {
        let before = Rounded::new(self.segment).and_then(|rounded| rounded.unclamped());
        let modulus = MODULI.into_iter().find(|&modulus| {
            let modulus = f64::from(modulus);
            let wrapped = |right: f64, at: usize| {
                let difference = self.observed[at] - right;
                difference.is_finite() && difference % modulus == 0.0
            };
            self.all(|at| {
                wrapped(self.expected[at], at)
                    || before
                        .as_ref()
                        .is_some_and(|before| wrapped(before.data()[at], at))
            })
        })?;
        Some(Finding::Wraps { modulus })
    }
}
