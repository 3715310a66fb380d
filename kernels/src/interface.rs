//! One instruction set's kernels.

use std::hint::black_box;
use std::time::Instant;

use crate::Isa;
use crate::algorithms::peak;
use crate::entry::Table;
use crate::requantizer::Requantizer;

/// One instruction set's kernels; holding the value proves that this CPU can run them.
#[derive(Clone, Copy, Debug)]
pub struct Kernels {
    table: Table,
}

impl Kernels {
    pub(crate) fn new(table: Table) -> Self {
        Self { table }
    }

    /// What they are written for.
    pub fn isa(&self) -> Isa {
        self.table.isa
    }

    /// Multiply-adds of bytes a second that one core does at most with these instructions: the
    /// best of some short runs of dot products between registers.
    pub fn peak(&self) -> f64 {
        const ROUNDS: usize = 100_000;
        let macs = peak::macs(self.table.lanes, ROUNDS) as f64;
        let run = || {
            let start = Instant::now();
            // SAFETY: the table is this CPU's.
            black_box(unsafe { (self.table.peak)(black_box(ROUNDS)) });
            macs / start.elapsed().as_secs_f64()
        };
        (0..20).map(|_| run()).fold(0.0, f64::max)
    }

    /// Stored codes of accumulators, all with the constants of the first channel; as many as
    /// the shorter slice has.
    pub fn requantize(&self, acc: &[i32], requantizer: &Requantizer, codes: &mut [u8]) {
        // SAFETY: the table is this CPU's.
        unsafe { (self.table.requantize)(requantizer, acc, codes) }
    }
}

/// The entry points.
pub(crate) fn table_of(kernels: Kernels) -> Table {
    kernels.table
}
