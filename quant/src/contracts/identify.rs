//! Which contract made these codes.

use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};

use super::{ALL, Channel, Contract, ContractError, Prepared};

/// Accumulators, and the codes that somebody made of them.
#[derive(Clone, Debug)]
pub struct Observation {
    channels: Vec<Channel>,
    positions: usize,
    accumulators: Vec<i32>,
    codes: Vec<i32>,
}

/// Why there is nothing to identify.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObservationError {
    /// No accumulators.
    #[error("there are no accumulators")]
    Empty,
    /// As many codes as accumulators are needed.
    #[error("{accumulators} accumulators, but {codes} codes")]
    Lengths {
        /// Number of accumulators.
        accumulators: usize,
        /// Number of codes.
        codes: usize,
    },
    /// The values do not fall into channels.
    #[error("{values} values are no whole number of {channels} channels of {positions}")]
    Channels {
        /// Number of accumulators.
        values: usize,
        /// Number of channels.
        channels: usize,
        /// Values in a row that are of one channel.
        positions: usize,
    },
}

/// What an observation shows.
#[derive(Clone, Debug)]
pub struct Identification {
    /// The contracts that give every code.
    pub exact: Vec<&'static Contract>,
    /// The others, nearest first.
    pub differing: Vec<Difference>,
    /// Contracts that have no numbers for some channel, and why.
    pub inexpressible: Vec<(&'static Contract, ContractError)>,
}

/// How a contract's codes differ from the observed ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The contract.
    pub contract: &'static Contract,
    /// How many codes differ.
    pub count: usize,
    /// Row-major position of the first.
    pub first: usize,
    /// The largest distance, in codes.
    pub largest: u32,
    /// Where they differ.
    pub pattern: Pattern,
}

/// What is common to all differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Each at a value that lies exactly halfway between two integers.
    pub ties_only: bool,
    /// The observed code is always greater (1), always less (−1), or neither (0).
    pub side: i32,
    /// Each where one of the two codes is the lowest or highest.
    pub edges_only: bool,
    /// Each in a channel whose zero point is odd: adding it changes which code is even.
    pub odd_zero_points_only: bool,
}

impl Observation {
    /// Row-major values; `positions` values in a row are of one channel, then comes the next
    /// channel, and after the last the first again.
    ///
    /// # Errors
    /// Nothing given, or numbers of values that do not fit each other.
    pub fn new(
        channels: Vec<Channel>,
        positions: usize,
        accumulators: Vec<i32>,
        codes: Vec<i32>,
    ) -> Result<Self, ObservationError> {
        let values = accumulators.len();
        if values == 0 {
            return Err(ObservationError::Empty);
        }
        if values != codes.len() {
            return Err(ObservationError::Lengths {
                accumulators: values,
                codes: codes.len(),
            });
        }
        let row = channels.len().saturating_mul(positions);
        if row == 0 || !values.is_multiple_of(row) {
            return Err(ObservationError::Channels {
                values,
                channels: channels.len(),
                positions,
            });
        }
        Ok(Self {
            channels,
            positions,
            accumulators,
            codes,
        })
    }

    /// How many codes there are.
    pub fn count(&self) -> usize {
        self.codes.len()
    }

    /// The channels.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// The accumulator and the observed code at a row-major position, and their channel.
    pub fn at(&self, index: usize) -> Option<(i32, i32, usize)> {
        let channel = index / self.positions % self.channels.len();
        Some((
            *self.accumulators.get(index)?,
            *self.codes.get(index)?,
            channel,
        ))
    }

    /// Tries every contract. Exact: no difference is small enough to be overlooked.
    pub fn identify(&self) -> Identification {
        let ties: Vec<Ties> = self.channels.iter().map(Ties::of).collect();
        let mut found = Identification {
            exact: Vec::new(),
            differing: Vec::new(),
            inexpressible: Vec::new(),
        };
        for contract in ALL {
            let prepared: Result<Vec<Prepared>, _> = (self.channels.iter())
                .map(|channel| contract.prepare(channel))
                .collect();
            match prepared {
                Err(error) => found.inexpressible.push((contract, error)),
                Ok(prepared) => match self.difference(contract, &prepared, &ties) {
                    None => found.exact.push(contract),
                    Some(difference) => found.differing.push(difference),
                },
            }
        }
        found
            .differing
            .sort_by_key(|difference| (difference.count, difference.largest));
        found
    }

    fn difference(
        &self,
        contract: &'static Contract,
        prepared: &[Prepared],
        ties: &[Ties],
    ) -> Option<Difference> {
        let mut found: Option<Difference> = None;
        let mut codes = vec![0; self.positions];
        let rows = self.accumulators.chunks_exact(self.positions);
        for (row, accumulators) in rows.enumerate() {
            let channel = row % self.channels.len();
            prepared[channel].requantize_all(accumulators, &mut codes);
            let observed = &self.codes[row * self.positions..][..self.positions];
            for (at, (&code, &observed)) in codes.iter().zip(observed).enumerate() {
                if code == observed {
                    continue;
                }
                let side = if observed > code { 1 } else { -1 };
                let of = &self.channels[channel];
                let distance = observed.abs_diff(code);
                let difference = found.get_or_insert(Difference {
                    contract,
                    count: 0,
                    first: row * self.positions + at,
                    largest: 0,
                    pattern: Pattern {
                        ties_only: true,
                        side,
                        edges_only: true,
                        odd_zero_points_only: true,
                    },
                });
                difference.count += 1;
                difference.largest = difference.largest.max(distance);
                let pattern = &mut difference.pattern;
                if pattern.side != side {
                    pattern.side = 0;
                }
                let edges = [of.clamp.low, of.clamp.high];
                pattern.odd_zero_points_only &= of.output_zero_point % 2 != 0;
                pattern.edges_only &= edges.contains(&code) || edges.contains(&observed);
                pattern.ties_only = pattern.ties_only && ties[channel].holds(accumulators[at]);
            }
        }
        found
    }
}

/// `s_i·s_w/s_o = p/q` in lowest terms: `acc·p/q` lies exactly halfway between two integers where
/// `2·acc/q` is an odd integer and p is odd.
#[derive(Clone, Copy, Debug)]
struct Ties {
    /// q, where some accumulator is a multiple of half of it, and p is odd.
    denominator: Option<i64>,
}

impl Ties {
    fn of(channel: &Channel) -> Self {
        let exact = |x: f64| BigRational::from_float(x).unwrap_or_else(BigRational::zero);
        let output = exact(channel.output_scale);
        // A prepared channel's scale is positive.
        if output.is_zero() {
            return Self { denominator: None };
        }
        let multiplier = exact(channel.input_scale) * exact(channel.weight_scale) / output;
        let denominator = match multiplier.numer().bit(0) {
            true => multiplier.denom().to_i64(),
            false => None,
        };
        Self { denominator }
    }

    fn holds(self, acc: i32) -> bool {
        let twice = 2 * i64::from(acc);
        self.denominator
            .is_some_and(|q| twice % q == 0 && twice / q % 2 != 0)
    }
}
