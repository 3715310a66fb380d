//! An input on which hypotheses part that all explain what was seen.
//!
//! Inputs are tried in a fixed order: directed accumulators first (ties and clamp edges of
//! each channel, the ends of its reach, powers of two), then extremes, few values on a ground
//! of zeros, random codes over the whole grid. What a parting input can lose it loses.

use rayon::prelude::*;
use reference::{ShapeError, Tensor};

use super::{Hypothesis, Segment};
use crate::model::{Accumulate, Requantize, Step, Values};

/// Which hypotheses part, and on what.
#[derive(Clone, Debug)]
pub struct Separation {
    /// How many inputs were tried, those to shrink what was found not counted; 0 where all are
    /// the same steps, so that none can part them.
    pub tried: usize,
    /// Hypotheses by their place in the list that was given, in order; those of one group are
    /// the same on everything tried.
    pub groups: Vec<Vec<usize>>,
    /// Inputs that tell the groups apart: every two of them on at least one.
    pub partings: Vec<Parting>,
}

/// An input and what the groups make of it.
#[derive(Clone, Debug)]
pub struct Parting {
    /// One image of the segment's input, first axis 1: pixels, codes or accumulators.
    pub input: Values,
    /// How many of its values are not the zero point (of pixels and accumulators: not 0).
    pub nonzero: usize,
    /// The output of each group, in their order; none where its steps do not fit the input.
    pub outputs: Vec<Option<Values>>,
}

/// Looks for inputs of the segment on which these hypotheses part; one without steps is the
/// right model.
///
/// # Errors
/// A segment whose input is not of its model's shape.
pub fn separate(segment: &Segment, hypotheses: &[Hypothesis]) -> Result<Separation, ShapeError> {
    if hypotheses.windows(2).all(|two| two[0].is(&two[1])) && !hypotheses.is_empty() {
        return Ok(Separation {
            tried: 0,
            groups: vec![(0..hypotheses.len()).collect()],
            partings: Vec::new(),
        });
    }
    let mut search = Search {
        segment,
        hypotheses,
        shape: one_image(segment.input.shape()),
        domain: Domain::of(segment),
        tried: 0,
        groups: vec![(0..hypotheses.len()).collect()],
        inputs: Vec::new(),
    };
    if hypotheses.is_empty() {
        search.groups.clear();
    }
    search.run()?;
    let found = std::mem::take(&mut search.inputs);
    let inputs: Vec<Values> = (needed(&search, found).into_iter())
        .map(|input| search.shrunk(input))
        .collect();
    Ok(Separation {
        tried: search.tried,
        partings: (inputs.into_iter())
            .map(|input| Parting {
                nonzero: (input.data().iter())
                    .filter(|&&x| x != search.domain.zero)
                    .count(),
                outputs: search.of_groups(&input),
                input,
            })
            .collect(),
        groups: search.groups,
    })
}

fn one_image(shape: &[usize]) -> Vec<usize> {
    let mut shape = shape.to_vec();
    if let Some(first) = shape.first_mut() {
        *first = 1;
    }
    shape
}

/// What the values of an input may be.
#[derive(Clone, Copy, Debug)]
struct Domain {
    low: f64,
    high: f64,
    zero: f64,
}

impl Domain {
    fn of(segment: &Segment) -> Self {
        let before = segment.nodes.start.checked_sub(1);
        let Some(before) = before.map(|at| &segment.model.nodes[at]) else {
            return Self {
                low: 0.0,
                high: 255.0,
                zero: 0.0,
            };
        };
        match (&before.params, &before.step) {
            (Some(params), _) => Self {
                low: params.grid.low().into(),
                high: params.grid.high().into(),
                zero: params.zero_point.into(),
            },
            (None, Step::Accumulate(sums)) => {
                let before = segment.model.nodes.get(segment.nodes.start.wrapping_sub(2));
                let grid = before
                    .and_then(|node| node.params)
                    .map(|params| params.grid);
                let reach = (0..sums.outputs())
                    .map(|o| reach(sums, o, grid.map_or([-128, 255], |g| [g.low(), g.high()])))
                    .fold([0.0, 0.0], |all: [f64; 2], one| {
                        [all[0].min(one[0]), all[1].max(one[1])]
                    });
                Self {
                    low: reach[0],
                    high: reach[1],
                    zero: 0.0,
                }
            }
            _ => Self {
                low: f64::from(i32::MIN),
                high: f64::from(i32::MAX),
                zero: 0.0,
            },
        }
    }
}

/// The least and the largest accumulator of an output channel over codes in this range.
fn reach(sums: &Accumulate, o: usize, [low, high]: [i32; 2]) -> [f64; 2] {
    let z = sums.input_zero_point;
    let bias = sums.bias.get(o).copied().unwrap_or(0);
    let mut ends = [bias, bias];
    for &w in sums.weight.item(o) {
        let w = i64::from(w - sums.weight_zero_points[o]);
        let products = [w * i64::from(low - z), w * i64::from(high - z)];
        ends[0] += products[0].min(products[1]);
        ends[1] += products[0].max(products[1]);
    }
    ends.map(|end| end as f64)
}

/// How many inputs of each random kind are tried.
const RANDOM: u64 = 16;
/// How many accumulators a channel's reach is sampled at, beside the directed ones.
const SAMPLES: u64 = 4096;
/// How many directed inputs are tried.
const TARGETS: usize = 64;
/// How many replays shrinking an input may take.
const SHRINKING: usize = 96;

struct Search<'a> {
    segment: &'a Segment<'a>,
    hypotheses: &'a [Hypothesis],
    shape: Vec<usize>,
    domain: Domain,
    tried: usize,
    groups: Vec<Vec<usize>>,
    /// Those that split a group.
    inputs: Vec<Values>,
}

impl Search<'_> {
    fn done(&self) -> bool {
        self.groups.len() == self.hypotheses.len()
    }

    fn run(&mut self) -> Result<(), ShapeError> {
        for input in self.directed() {
            if self.done() {
                return Ok(());
            }
            self.attempt(input);
        }
        let mut random = Random(0);
        for kind in 0.. {
            if self.done() {
                break;
            }
            let Some(input) = self.undirected(kind, &mut random)? else {
                break;
            };
            self.attempt(input);
        }
        Ok(())
    }

    fn outputs(&self, input: &Values) -> Vec<Option<Vec<f64>>> {
        (self.hypotheses.par_iter())
            .map(|hypothesis| Some(self.segment.replay_on(hypothesis, input).ok()?.into_data()))
            .collect()
    }

    fn attempt(&mut self, input: Values) {
        self.tried += 1;
        let outputs = self.outputs(&input);
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for group in &self.groups {
            let first = groups.len();
            for &member in group {
                match groups[first..]
                    .iter()
                    .position(|part| same(&outputs[part[0]], &outputs[member]))
                {
                    Some(at) => groups[first + at].push(member),
                    None => groups.push(vec![member]),
                }
            }
        }
        if groups.len() > self.groups.len() {
            self.groups = groups;
            self.inputs.push(input);
        }
    }

    fn of_groups(&self, input: &Values) -> Vec<Option<Values>> {
        (self.groups.iter())
            .map(|group| {
                let hypothesis = &self.hypotheses[group[0]];
                self.segment.replay_on(hypothesis, input).ok()
            })
            .collect()
    }

    /// Which pairs of groups an input tells apart.
    fn parted(&self, input: &Values) -> Vec<bool> {
        let outputs: Vec<Option<Vec<f64>>> = (self.of_groups(input).into_iter())
            .map(|output| output.map(Tensor::into_data))
            .collect();
        (0..outputs.len())
            .flat_map(|a| (0..a).map(move |b| (a, b)))
            .map(|(a, b)| !same(&outputs[a], &outputs[b]))
            .collect()
    }

    /// The input with as many values as possible at zero, parting what it parted.
    fn shrunk(&self, mut input: Values) -> Values {
        let parted = self.parted(&input);
        let zero = self.domain.zero;
        let mut left: Vec<usize> = (0..input.data().len())
            .filter(|&at| input.data()[at] != zero)
            .collect();
        let (mut size, mut replays) = (left.len().div_ceil(2), 0);
        while size > 0 && replays < SHRINKING {
            let mut kept = Vec::new();
            for chunk in left.chunks(size) {
                let mut smaller = input.clone();
                for &at in chunk {
                    smaller.data_mut()[at] = zero;
                }
                replays += 1;
                if replays <= SHRINKING && self.parted(&smaller) == parted {
                    input = smaller;
                } else {
                    kept.extend_from_slice(chunk);
                }
            }
            left = kept;
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
        input
    }

    /// Inputs made for the requantization that follows the segment's first sums, or that is
    /// its first step.
    fn directed(&self) -> Vec<Values> {
        let nodes = self.segment.nodes.clone();
        let of = |at: usize| &self.segment.model.nodes[at].step;
        let Some(node) = nodes
            .clone()
            .find(|&at| matches!(of(at), Step::Requantize(_)))
        else {
            return Vec::new();
        };
        let Step::Requantize(requantize) = of(node) else {
            return Vec::new();
        };
        let before = node.checked_sub(1).map(of);
        let grid = (node.checked_sub(2)).and_then(|at| self.segment.model.nodes[at].params);
        let codes = grid.map_or([-128, 255], |params| {
            [params.grid.low(), params.grid.high()]
        });
        let ends: Vec<[f64; 2]> = (0..requantize.channels.len())
            .map(|o| match before {
                Some(Step::Accumulate(sums)) if o < sums.outputs() => reach(sums, o, codes),
                _ => [i32::MIN.into(), i32::MAX.into()],
            })
            .collect();
        let aims = self.aims(node, requantize, &ends);
        let inputs = aims.into_iter().filter_map(|(o, acc)| match before {
            _ if node == nodes.start => self.alone(o, requantize.axis, acc),
            Some(Step::Accumulate(sums)) if node == nodes.start + 1 => self.hitting(sums, o, acc),
            _ => None,
        });
        inputs.take(TARGETS).collect()
    }

    /// Channels and accumulators on which the hypotheses' requantizations part; first those
    /// that part the most.
    fn aims(&self, node: usize, requantize: &Requantize, ends: &[[f64; 2]]) -> Vec<(usize, f64)> {
        let mut rows: Vec<Vec<f64>> = (ends.iter().enumerate())
            .map(|(o, &ends)| candidates(requantize, o, ends))
            .collect();
        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        rows.iter_mut().for_each(|row| row.resize(width, 0.0));
        // [1, channels, candidates]
        let Ok(input) = Tensor::new(&[1, rows.len(), width], rows.concat()) else {
            return Vec::new();
        };
        if requantize.axis != 1 {
            return Vec::new();
        }
        let outputs: Vec<Option<Values>> = (self.hypotheses.par_iter())
            .map(|hypothesis| hypothesis.step(self.segment.model, node).run(&input).ok())
            .map(|output| output.filter(|output| output.shape() == input.shape()))
            .collect();
        let mut aims: Vec<(usize, usize)> = (0..input.data().len())
            .map(|at| {
                let mut seen: Vec<Option<u64>> = (outputs.iter())
                    .map(|output| Some(output.as_ref()?.data()[at].to_bits()))
                    .collect();
                seen.sort_unstable();
                seen.dedup();
                (seen.len(), at)
            })
            .filter(|(kinds, _)| *kinds > 1)
            .collect();
        aims.sort_by_key(|&(kinds, at)| (std::cmp::Reverse(kinds), at % width, at));
        (aims.into_iter())
            .take(16 * TARGETS)
            .map(|(_, at)| (at / width, input.data()[at]))
            .collect()
    }

    /// One accumulator on a ground of zeros.
    fn alone(&self, o: usize, axis: usize, acc: f64) -> Option<Values> {
        let mut input = Tensor::full(&self.shape, 0.0).ok()?;
        let plane: usize = self.shape.get(axis + 1..)?.iter().product();
        *input.data_mut().get_mut(o * plane)? = acc;
        Some(input)
    }

    /// Codes that give an output of this channel exactly this accumulator, if greedy choice
    /// finds them: the largest weights first, each as far as it leads.
    fn hitting(&self, sums: &Accumulate, o: usize, acc: f64) -> Option<Values> {
        let mut input = Tensor::full(&self.shape, self.domain.zero).ok()?;
        // An output in the middle: its window touches no padding, if any is free of it.
        let position: Vec<usize> = (sums.output_shape(&self.shape).ok()?.iter().enumerate())
            .map(|(axis, &size)| match axis {
                0 => 0,
                1 => o,
                _ => size / 2,
            })
            .collect();
        let mut terms = sums.terms(&input, &position);
        terms.retain(|term| term.at.is_some() && term.weight != term.weight_zero_point);
        terms.sort_by_key(|term| std::cmp::Reverse((term.weight - term.weight_zero_point).abs()));
        let mut rest = acc as i64 - sums.bias.get(o).copied().unwrap_or(0);
        for term in terms {
            let weight = i64::from(term.weight - term.weight_zero_point);
            let z = self.domain.zero as i64;
            let [low, high] = [self.domain.low as i64 - z, self.domain.high as i64 - z];
            let code = (rest / weight).clamp(low, high);
            rest -= code * weight;
            let [c, y, x] = term.at?;
            let at = match self.shape[..] {
                [_, _, h, w] => (c * h + y) * w + x,
                _ => c,
            };
            input.data_mut()[at] = (code + z) as f64;
        }
        (rest == 0).then_some(input)
    }

    /// The inputs that know nothing of the hypotheses.
    fn undirected(&self, kind: u64, random: &mut Random) -> Result<Option<Values>, ShapeError> {
        let Domain { low, high, zero } = self.domain;
        let whole = |random: &mut Random| low + random.below((high - low) as u64 + 1) as f64;
        let edges = [
            low,
            low + 1.0,
            zero - 1.0,
            zero,
            zero + 1.0,
            high - 1.0,
            high,
        ]
        .map(|x| x.clamp(low, high));
        let mut input = Tensor::full(&self.shape, zero)?;
        let values = input.data_mut();
        let count = values.len() as u64;
        match kind {
            0 => values.fill(high),
            1 => values.fill(low),
            2 => {
                for (at, value) in values.iter_mut().enumerate() {
                    *value = if at % 2 == 0 { high } else { low };
                }
            }
            3 => {
                let levels = (high - low) as usize + 1;
                for (at, value) in values.iter_mut().enumerate() {
                    *value = low + (at % levels) as f64;
                }
            }
            4 => {}
            _ if count == 0 => {}
            _ => match (kind - 5) / RANDOM {
                0 => {
                    for _ in 0..=random.below(4) {
                        values[random.below(count) as usize] = whole(random);
                    }
                }
                1 => values.fill_with(|| whole(random)),
                2 => values.fill_with(|| edges[random.below(edges.len() as u64) as usize]),
                // Small numbers: sums that do not saturate.
                3 => values.fill_with(|| (zero + random.below(17) as f64 - 8.0).clamp(low, high)),
                _ => return Ok(None),
            },
        }
        Ok(Some(input))
    }
}

/// Of equal bits or both none; NaN is itself here.
fn same(a: &Option<Vec<f64>>, b: &Option<Vec<f64>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|(a, b)| a == b || (a.is_nan() && b.is_nan()))
        }
        (None, None) => true,
        _ => false,
    }
}

/// As few of the inputs as tell all groups apart: one that does it alone, else each that
/// parts something new.
fn needed(search: &Search, inputs: Vec<Values>) -> Vec<Values> {
    let parted: Vec<Vec<bool>> = inputs.iter().map(|input| search.parted(input)).collect();
    let of = |parts: &[bool]| parts.iter().filter(|&&part| part).count();
    let mut order: Vec<usize> = (0..inputs.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(of(&parted[at])));
    let mut seen = vec![false; parted.first().map_or(0, Vec::len)];
    let mut kept = Vec::new();
    for at in order {
        if (seen.iter().zip(&parted[at])).any(|(seen, part)| !seen && *part) {
            seen.iter_mut()
                .zip(&parted[at])
                .for_each(|(seen, part)| *seen |= part);
            kept.push(inputs[at].clone());
        }
    }
    kept
}

/// Accumulators of a channel within its reach at which implementations differ.
fn candidates(requantize: &Requantize, o: usize, [low, high]: [f64; 2]) -> Vec<f64> {
    let channel = &requantize.channels[o];
    let step = channel.output_scale / (channel.input_scale * channel.weight_scale);
    let z = channel.output_zero_point;
    let mut all = vec![0.0, low, high];
    let codes = channel.clamp.low - z - 2..=channel.clamp.high - z + 2;
    for code in codes {
        for edge in [f64::from(code), f64::from(code) + 0.5] {
            let acc = (edge * step).floor();
            all.extend([acc - 1.0, acc, acc + 1.0, acc + 2.0]);
        }
    }
    for power in 7..32 {
        let power = f64::from(power).exp2();
        for acc in [power - 1.0, power, power + 1.0] {
            all.extend([acc, -acc]);
        }
    }
    let mut random = Random(o as u64);
    let width = (high - low) as u64 + 1;
    all.extend((0..SAMPLES).map(|_| low + random.below(width) as f64));
    all.retain(|acc| (low..=high).contains(acc));
    all.sort_by(|a, b| a.abs().total_cmp(&b.abs()).then(b.total_cmp(a)));
    all.dedup();
    all
}

/// SplitMix64.
struct Random(u64);

impl Random {
    /// 0 to `end` − 1; `end` at least 1. The bias of the remainder does not matter here.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end.max(1)
    }
}
