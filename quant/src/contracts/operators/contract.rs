//! A contract of an operator: a name, what it computes, and how it is made from scales.

use std::fmt;

use crate::contracts::{Class, ContractError, Evidence};

/// What an operator is given beside its codes: scales, zero points, counts.
pub trait Site {
    /// Whether this is one at all; every contract asks.
    ///
    /// # Errors
    /// A scale, zero point, clamp or count that is none.
    fn check(&self) -> Result<(), ContractError>;
}

/// One library's way to compute an operator; `P` holds its constants.
pub struct OperatorContract<S, P> {
    /// Short and unique among those of the operator: `litert-add-xnnpack`.
    pub name: &'static str,
    /// The contracts that give the same codes wherever both are defined.
    pub class: Class,
    /// What is computed, in words.
    pub formula: &'static str,
    /// The release whose bits these are.
    pub version: &'static str,
    /// Where it is defined.
    pub source: &'static str,
    /// What the definition rests on.
    pub evidence: Evidence,
    pub(super) prepare: fn(&S) -> Result<P, ContractError>,
}

impl<S: Site, P> OperatorContract<S, P> {
    /// Makes the contract's constants.
    ///
    /// # Errors
    /// The site is none, or the contract has no numbers for it.
    pub fn prepare(&self, site: &S) -> Result<P, ContractError> {
        site.check()?;
        (self.prepare)(site)
    }
}

// Derived, these would ask the same of `S` and `P`.
impl<S, P> Clone for OperatorContract<S, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S, P> Copy for OperatorContract<S, P> {}

impl<S, P> fmt::Debug for OperatorContract<S, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
