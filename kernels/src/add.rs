//! Sums of two tensors of codes, whatever the contract.
//!
//! Two codes have 2¹⁶ sums, so a contract is known by trying them all. One arithmetic is
//! tried for all of these sums,
//!
//! ```text
//! sum(a, b) = int(clamp(f32(a)·m_a + (f32(b)·m_b + offset), low, high)) + base
//! ```
//!
//! and where it has others, the sums themselves are the kernel: a table of 64 KiB.

use crate::Kernels;
use crate::algorithms::Simple;
use crate::entry::Table;
use crate::interface::table_of;
use crate::requantizer::Stored;
use quant::contracts::operators::add::{self, Addition};

/// Sums of stored codes, as one contract makes them.
#[derive(Clone, Debug)]
pub struct Add {
    table: Table,
    sums: Sums,
}

#[derive(Clone, Debug)]
enum Sums {
    Multipliers(Multipliers),
    /// `[a][b]`, stored codes.
    Lookup(Vec<u8>),
}

/// The constants of the arithmetic, in stored codes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Multipliers {
    operands: [f32; 2],
    offset: f32,
    clamp: [f32; 2],
    base: i32,
}

impl Multipliers {
    /// The stored sum of two stored codes.
    #[inline(always)]
    pub(crate) fn sum(&self, a: u8, b: u8) -> u8 {
        // See `requantizer::code`.
        const INTEGERS_ONLY: f32 = 12_582_912.0;
        let second = f32::from(b) * self.operands[1] + self.offset;
        let sum = f32::from(a) * self.operands[0] + second;
        let sum = sum.max(self.clamp[0]).min(self.clamp[1]);
        (((sum + INTEGERS_ONLY) - INTEGERS_ONLY) as i32 + self.base) as u8
    }

    /// Constants to try: the zero points of the operands are folded in the offset.
    fn new(site: &Addition, stored: Stored) -> Self {
        let shift = stored.shift();
        let operands = [site.first, site.second];
        let slopes = operands.map(|grid| grid.scale / site.output.scale);
        let zeros = operands.map(|grid| f64::from(grid.zero_point + shift));
        let output = site.output.zero_point;
        Self {
            operands: slopes.map(|slope| slope as f32),
            offset: -(zeros[0] * slopes[0] + zeros[1] * slopes[1]) as f32,
            clamp: [site.clamp.low, site.clamp.high].map(|code| (code - output) as f32),
            base: output + shift,
        }
    }
}

impl Add {
    /// Prepares what a contract adds at a site, whose codes are all of one type: all 2¹⁶ sums
    /// are tried.
    pub fn new(kernels: Kernels, contract: &dyn add::Add, site: &Addition, stored: Stored) -> Self {
        let shift = stored.shift();
        let code = |stored: u8| i32::from(stored) - shift;
        let sums: Vec<u8> = (0..=u8::MAX)
            .flat_map(|a| (0..=u8::MAX).map(move |b| (a, b)))
            .map(|(a, b)| (contract.add(code(a), code(b)) + shift) as u8)
            .collect();
        let multipliers = Multipliers::new(site, stored);
        let holds = (0..=u8::MAX).all(|a| {
            let row = &sums[256 * usize::from(a)..][..256];
            (0..=u8::MAX)
                .zip(row)
                .all(|(b, &sum)| multipliers.sum(a, b) == sum)
        });
        Self {
            table: table_of(kernels),
            sums: match holds {
                true => Sums::Multipliers(multipliers),
                false => Sums::Lookup(sums),
            },
        }
    }

    /// Whether the sums are looked up, not calculated.
    pub fn is_lookup(&self) -> bool {
        matches!(self.sums, Sums::Lookup(_))
    }

    /// Stored sums of stored codes; as many as the shortest slice has.
    pub fn run(&self, a: &[u8], b: &[u8], out: &mut [u8]) {
        match &self.sums {
            Sums::Multipliers(with) => {
                self.table.simple(Simple::Add { a, b, with, out });
            }
            Sums::Lookup(sums) => {
                for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                    *out = sums[256 * usize::from(a) + usize::from(b)];
                }
            }
        }
    }
}
