//! A contract: a name, what it computes, and how it is made from scales.

use std::fmt;
use std::ops::RangeInclusive;

use pulp::{Arch, NullaryFnOnce};

use super::{Channel, ContractError, Recipe};

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
    /// Compared with the library's own outputs in `quant/tests/library_vectors.rs`: none differs.
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

    /// The same as data. None where a float bias is added to the accumulator: an integer network
    /// has its bias in the accumulator.
    fn recipe(&self) -> Option<Recipe> {
        None
    }

    /// The codes of many accumulators; as many as the shorter slice has. The same arithmetic,
    /// compiled for the vectors that this CPU has: none of it is reordered.
    fn requantize_all(&self, accumulators: &[i32], codes: &mut [i32]) {
        Arch::new().dispatch(All {
            contract: self,
            accumulators,
            codes,
        });
    }
}

/// A loop that is compiled once for each set of vector instructions.
struct All<'a, R: ?Sized> {
    contract: &'a R,
    accumulators: &'a [i32],
    codes: &'a mut [i32],
}

impl<R: Requantize + ?Sized> NullaryFnOnce for All<'_, R> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let blocks = self.codes.chunks_mut(BLOCK);
        for (accumulators, codes) in self.accumulators.chunks(BLOCK).zip(blocks) {
            // A local array: it cannot overlap the contract's constants, so they are loaded once.
            let mut block = [0; BLOCK];
            for (code, &acc) in block.iter_mut().zip(accumulators) {
                *code = self.contract.requantize(acc);
            }
            let count = codes.len().min(accumulators.len());
            codes[..count].copy_from_slice(&block[..count]);
        }
    }
}

/// Accumulators requantized at once.
const BLOCK: usize = 64;
