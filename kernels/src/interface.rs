//! One instruction set's kernels.

use crate::Isa;
use crate::algorithms::Simple;
use crate::entry::Table;
use crate::requantizer::Requantizer;

/// One instruction set's kernels; holding the value proves that this CPU can run them.
#[derive(Clone, Copy, Debug)]
pub struct Kernels {
    isa: Isa,
    table: Table,
}

impl Kernels {
    pub(crate) fn new(isa: Isa, table: Table) -> Self {
        Self { isa, table }
    }

    /// What they are written for.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Stored codes of accumulators, all with the constants of the first channel; as many as
    /// the shorter slice has.
    pub fn requantize(&self, acc: &[i32], requantizer: &Requantizer, codes: &mut [u8]) {
        let job = Simple::Requantize {
            acc,
            requantizer,
            codes,
        };
        // SAFETY: the table is this CPU's.
        unsafe { (self.table.simple)(job) }
    }
}

/// The entry points.
pub(crate) fn table_of(kernels: Kernels) -> Table {
    kernels.table
}
