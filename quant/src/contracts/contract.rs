//! A contract: a name, what it computes, and how it is made from scales.

use std::fmt;
use std::ops::RangeInclusive;

use super::{Channel, ContractError};

/// One framework's way from an accumulator to a code.
#[derive(Clone, Copy)]
pub struct Contract {
    /// Short and unique: `litert-reference-conv`.
    pub name: &'static str,
    /// The contracts that are proven to give the same codes.
    pub class: Class,
    /// What is computed, in words.
    pub formula: &'static str,
    /// The same in LaTeX, whose symbols [`SYMBOLS`](super::SYMBOLS) explains.
    pub latex: &'static str,
    /// The release whose bits these are; empty for an idealized contract that has none.
    pub version: &'static str,
    /// Where it is defined.
    pub source: &'static str,
    /// What the definition rests on.
    pub evidence: Evidence,
    pub(super) prepare: fn(&Channel) -> Result<Prepared, ContractError>,
}

/// A contract made for one channel.
pub type Prepared = Box<dyn Requantize>;

impl Contract {
    /// Makes the contract's constants from a channel's scales.
    ///
    /// # Errors
    /// The channel is none, or the contract has no numbers for it.
    pub fn prepare(&self, channel: &Channel) -> Result<Prepared, ContractError> {
        channel.check()?;
        (self.prepare)(channel)
    }
}

impl fmt::Debug for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Contract {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// Contracts that give the same code for every channel and every accumulator of both their
/// domains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Class {
    /// Unique.
    pub name: &'static str,
    /// Why they are equal; empty for a class of one.
    pub equal_because: &'static str,
}

impl Class {
    /// A contract that equals no other.
    pub(super) const fn alone(name: &'static str) -> Self {
        Self {
            name,
            equal_because: "",
        }
    }
}

/// What a contract's definition rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Compared with the library itself, millions of outputs without a mismatch.
    Library,
    /// Taken from published source, or compared with its functions alone.
    Source,
    /// Idealized: the original is no function of the accumulator, or several are in use.
    Model,
}

/// A requantization with its constants.
pub trait Requantize: fmt::Debug + Send + Sync {
    /// The output code of an accumulator. Defined for all of int32; outside of
    /// [`Self::domain`] it is what compiled code gives.
    fn requantize(&self, acc: i32) -> i32;

    /// The accumulators for which the source defines a result.
    fn domain(&self) -> RangeInclusive<i32> {
        i32::MIN..=i32::MAX
    }

    /// The codes of many accumulators; as many as the shorter slice has. One dispatch for
    /// all of them.
    fn requantize_all(&self, accumulators: &[i32], codes: &mut [i32]) {
        for (code, &acc) in codes.iter_mut().zip(accumulators) {
            *code = self.requantize(acc);
        }
    }
}
