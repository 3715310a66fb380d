//! What can be said of a difference when no name is found, and beside a name.
//!
//! Every finding is a fact about all differing values, never a guess; what cannot be decided
//! is left out.

use std::fmt;

use reference::PoolGeometry;
use reference::geometry::Window;
use serde::Serialize;

use super::rounded::Rounded;
use super::{Segment, differing};
use crate::model::{Node, Step, Values};

/// What two tensors differ in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// How many values there are: of the right tensor.
    pub values: usize,
    /// How many of them differ; all, if the shapes do.
    pub differing: usize,
    /// Largest |observed − expected| of those that are numbers; none where no two can be
    /// compared.
    pub largest: Option<f64>,
    /// In the order of [`Finding`].
    pub findings: Vec<Finding>,
}

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

/// What 8 and 16 bits wrap at.
const MODULI: [u32; 2] = [1 << 16, 1 << 8];

impl Evidence {
    /// Compares what a segment gave with what is right.
    pub fn new(segment: &Segment) -> Self {
        let (expected, observed) = (segment.expected, segment.observed);
        let mut evidence = Self {
            values: expected.data().len(),
            differing: differing(expected, observed),
            largest: None,
            findings: Vec::new(),
        };
        let same_shape = expected.shape() == observed.shape();
        if evidence.differing == 0 {
            return evidence;
        }
        if !same_shape {
            evidence.findings.push(Finding::Shapes {
                expected: expected.shape().to_vec(),
                observed: observed.shape().to_vec(),
            });
        }
        evidence.findings.extend(of_values(segment));
        if same_shape {
            let pairs = Pairs::new(segment);
            evidence.largest = pairs.largest();
            evidence.findings.extend(pairs.findings());
        }
        evidence
    }

    /// One sentence each, for a person.
    pub fn lines(&self) -> Vec<String> {
        let share = self.differing as f64 / self.values.max(1) as f64 * 100.0;
        let mut first = match self.differing {
            0 => format!("none of {} values differs", self.values),
            differing => format!(
                "{differing} of {} values differ ({share:.2} %)",
                self.values
            ),
        };
        if let Some(largest) = self.largest {
            first += &format!(", by at most {largest}");
        }
        let findings = self.findings.iter().map(ToString::to_string);
        std::iter::once(first).chain(findings).collect()
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().join("\n"))
    }
}

/// What the observed values are, whatever their shape.
fn of_values(segment: &Segment) -> Vec<Finding> {
    let observed = segment.observed.data();
    let count = |is: &dyn Fn(f64) -> bool| observed.iter().filter(|&&x| is(x)).count();
    let mut findings = Vec::new();
    match count(&|x| !x.is_finite()) {
        0 => {}
        count => findings.push(Finding::NotNumbers { count }),
    }
    match count(&|x| x.is_finite() && x.fract() != 0.0) {
        0 => {}
        count => findings.push(Finding::NotIntegers { count }),
    }
    if let Some(params) = segment.last().and_then(|node| node.params) {
        let (low, high) = (params.grid.low(), params.grid.high());
        let outside = |x: f64| x.is_finite() && (x < low.into() || x > high.into());
        match count(&outside) {
            0 => {}
            count => findings.push(Finding::OutsideCodes { count, low, high }),
        }
    }
    findings
}

impl Segment<'_> {
    fn last(&self) -> Option<&Node> {
        self.nodes
            .clone()
            .next_back()
            .map(|at| &self.model.nodes[at])
    }

    /// The lowest and the highest value of the output there is, after the ReLUs since the last
    /// weighted layer; of accumulators none.
    fn edges(&self) -> Option<[f64; 2]> {
        let grid = self.last()?.params?.grid;
        let mut low = f64::from(grid.low());
        for node in self.model.nodes[..self.nodes.end].iter().rev() {
            match &node.step {
                Step::Relu { low: zero } => low = low.max(*zero),
                Step::Requantize(_) | Step::Quantize(_) => break,
                _ => {}
            }
        }
        Some([low, grid.high().into()])
    }
}

/// Two tensors of one shape that differ.
struct Pairs<'a> {
    segment: &'a Segment<'a>,
    expected: &'a [f64],
    observed: &'a [f64],
    shape: &'a [usize],
    /// Where they differ, row-major.
    at: Vec<usize>,
    edges: Option<[f64; 2]>,
}

impl<'a> Pairs<'a> {
    fn new(segment: &'a Segment<'a>) -> Self {
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

    fn largest(&self) -> Option<f64> {
        (self.at.iter())
            .map(|&at| self.difference(at).abs())
            .filter(|size| size.is_finite())
            .reduce(f64::max)
    }

    fn findings(&self) -> Vec<Finding> {
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
        let &[_, channels, height, width] = self.shape else {
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
        (channels > 0 && inside && all).then_some(Finding::AtBorders { padding })
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
            // −0 is 0.
            sorted.iter_mut().for_each(|x| *x += 0.0);
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
        if item == 0 || item != self.segment.expected.item_len() {
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

/// Where an output's windows touch padding, [1, C, H, W]; none where nothing is padded.
fn padding_mask(segment: &Segment) -> Option<Values> {
    let mut mask: Option<Values> = None;
    let mut shape = segment.input.shape().to_vec();
    for node in segment.nodes.clone() {
        let step = &segment.model.nodes[node].step;
        let next = segment.model.nodes[node].shape.clone();
        let windows = match step {
            Step::Accumulate(sums) => {
                let geometry = sums.geometry.as_ref()?;
                let kernel = [*sums.weight.shape().get(2)?, *sums.weight.shape().get(3)?];
                // Behind a sum, a touched window of an earlier step is no border any more.
                mask = None;
                Some(geometry.windows(kernel))
            }
            Step::MaxPool(geometry) => Some(PoolGeometry::windows(geometry)),
            Step::AveragePool(pool) => Some(pool.geometry.window.windows()),
            _ => None,
        };
        let pooled = match (&mask, step) {
            (Some(mask), Step::MaxPool(geometry)) => {
                Some(reference::ops::max_pool2d(mask, geometry).ok()?)
            }
            (Some(mask), Step::AveragePool(pool)) => {
                Some(reference::ops::max_pool2d(mask, &pool.geometry.window).ok()?)
            }
            (mask, _) => mask.clone(),
        };
        mask = pooled;
        if let Some(windows) = windows.filter(|windows| windows.iter().any(|w| w.padding > 0)) {
            let (&[_, _, h, w], &[_, _, out_h, out_w]) = (&shape[..], &next[..]) else {
                return None;
            };
            let mut touched = Values::full(&[1, 1, out_h, out_w], 0.0).ok()?;
            for y in 0..out_h {
                for x in 0..out_w {
                    let before = mask.as_ref().is_some_and(|mask| mask[[0, 0, y, x]] != 0.0);
                    let touches = |window: &Window, at, size| {
                        window.taps_inside(at, size) != (0..window.kernel)
                    };
                    let now = touches(&windows[0], y, h) || touches(&windows[1], x, w);
                    touched[[0, 0, y, x]] = f64::from(before || now);
                }
            }
            mask = Some(touched);
        }
        shape = next;
    }
    mask
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
