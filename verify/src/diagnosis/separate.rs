//! An input on which hypotheses part that all explain what was seen.
//!
//! Inputs are tried in a fixed order: directed accumulators first (ties and clamp edges of
//! each channel, the ends of its reach, powers of two), then extremes, few values on a ground
//! of zeros, random codes over the whole grid. What a parting input can lose it loses.

mod accumulators;
mod domain;
mod random;
mod undirected;

use rayon::prelude::*;
use reference::{ShapeError, Tensor};

use self::accumulators::{alone, candidates, hitting};
use self::domain::{Domain, codes_of};
use self::undirected::Undirected;
use super::{Hypothesis, Segment};
use crate::model::{Requantize, Step, Values};

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
        domain: Domain::after(&segment.model.nodes[..segment.nodes.start]),
        tried: 0,
        groups: vec![(0..hypotheses.len()).collect()],
        inputs: Vec::new(),
    };
    if hypotheses.is_empty() {
        search.groups.clear();
    }
    search.run()?;
    let parted: Vec<Vec<bool>> = (search.inputs.iter())
        .map(|input| search.parted(input))
        .collect();
    let inputs: Vec<Values> = (needed(&parted).into_iter())
        .map(|at| search.shrunk(search.inputs[at].clone()))
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
        for input in Undirected::new(&self.shape, self.domain)? {
            if self.done() {
                break;
            }
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
        let codes = codes_of(node.checked_sub(2).map(|at| &self.segment.model.nodes[at]));
        let ends: Vec<[f64; 2]> = (0..requantize.channels.len())
            .map(|o| match before {
                Some(Step::Accumulate(sums)) => sums.ends(o, codes).map(|end| end as f64),
                _ => [i32::MIN.into(), i32::MAX.into()],
            })
            .collect();
        let aims = self.aims(node, requantize, &ends);
        let inputs = aims.into_iter().filter_map(|(o, acc)| match before {
            _ if node == nodes.start => alone(&self.shape, o, requantize.axis, acc),
            Some(Step::Accumulate(sums)) if node == nodes.start + 1 => {
                hitting(&self.shape, sums, o, acc, codes)
            }
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
}

/// Of equal numbers or both none; NaN is itself here.
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
/// parts something new. Of each input, which pairs it parts.
fn needed(parted: &[Vec<bool>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..parted.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(parted[at].iter().filter(|&&part| part).count()));
    let mut seen = vec![false; parted.first().map_or(0, Vec::len)];
    order.retain(|&at| {
        let mut is_new = false;
        for (seen, &part) in seen.iter_mut().zip(&parted[at]) {
            is_new |= part && !*seen;
            *seen |= part;
        }
        is_new
    });
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_parts_nothing_new_is_not_needed() {
        let of = |rows: &[&str]| {
            let row = |row: &&str| row.bytes().map(|byte| byte == b'x').collect();
            needed(&rows.iter().map(row).collect::<Vec<_>>())
        };
        assert_eq!(of(&["x..", "xxx", ".x."]), [1]);
        assert_eq!(of(&["x..", ".xx", ".x."]), [1, 0]);
        assert_eq!(of(&["x..", "..x", ".x."]), [0, 1, 2]);
        assert_eq!(of(&["...", "xx."]), [1]);
        assert_eq!(of(&[]), [0; 0]);
    }

    #[test]
    fn not_a_number_is_the_same_as_itself() {
        let some = |values: &[f64]| Some(values.to_vec());
        assert!(same(&some(&[1.0, f64::NAN]), &some(&[1.0, f64::NAN])));
        assert!(same(&some(&[0.0]), &some(&[-0.0])));
        assert!(same(&None, &None));
        for (a, b) in [
            (some(&[1.0]), some(&[2.0])),
            (some(&[1.0]), some(&[f64::NAN])),
            (some(&[f64::NAN]), some(&[1.0])),
            (some(&[1.0]), some(&[1.0, 1.0])),
            (some(&[]), None),
        ] {
            assert!(!same(&a, &b) && !same(&b, &a), "{a:?} {b:?}");
        }
    }
}
