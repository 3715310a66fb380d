//! The three conventions as an option of the command line.

use clap::ValueEnum;
use quant::formulas::conventions::Convention;

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ConventionName {
    /// s_O divides an accumulator.
    Relative,
    /// n = 1/s for every scale.
    Multiply,
    /// s_O is the real value of one output code.
    Absolute,
}

impl From<ConventionName> for Convention {
    fn from(name: ConventionName) -> Self {
        match name {
            ConventionName::Relative => Self::Relative,
            ConventionName::Multiply => Self::Multiply,
            ConventionName::Absolute => Self::Absolute,
        }
    }
}
