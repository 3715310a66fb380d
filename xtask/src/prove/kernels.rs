//! `cargo xtask prove kernels`: random cases on every instruction set that this CPU has.

use std::collections::BTreeMap;
use std::sync::Mutex;

use anyhow::Result;
use indicatif::ParallelProgressIterator;
use kernels::Isa;
use kernels::prove::{Kind, Mismatch, case};
use owo_colors::OwoColorize;
use rayon::prelude::*;

use super::bar;
use crate::exit::Exit;

/// What the cases of a kind showed.
#[derive(Default)]
struct Gathered {
    compared: u64,
    /// Cases whose accumulators do not fit int32.
    skipped: u64,
    differ: u64,
    first: Option<(u64, Box<Mismatch>)>,
    covered: BTreeMap<&'static str, u64>,
}

/// Exit code 0 when nothing differs and every kind ran.
pub(super) fn run(cases: u64, first: u64) -> Result<Exit> {
    let sets = crate::verify::kernel_sets()?;
    let ran: Vec<&str> = sets.iter().map(|set| set.isa().name()).collect();
    let lacking = Isa::ALL.map(Isa::name);
    let lacking: Vec<&str> = lacking
        .into_iter()
        .filter(|isa| !ran.contains(isa))
        .collect();
    anstream::println!(
        "Every case runs on {}; not run here: {}\n",
        ran.join(", "),
        lacking.join(", ")
    );
    anstream::println!(
        "{:<14}{:>10}{:>9}{:>9}  had in them",
        "",
        "cases",
        "skipped",
        "differ"
    );
    let mut equal = true;
    for kind in Kind::ALL {
        let gathered = Mutex::new(Gathered::default());
        let progress = bar(kind.name(), cases);
        (0..cases)
            .into_par_iter()
            .progress_with(progress.clone())
            .map(|i| first.wrapping_add(i))
            .for_each(|seed| {
                let result = case(kind, seed, &sets);
                let mut gathered = gathered
                    .lock()
                    .unwrap_or_else(|poisoned| poisoned.into_inner());
                gathered.add(seed, result);
            });
        progress.finish_and_clear();
        let gathered = gathered
            .into_inner()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        gathered.print(kind);
        equal &= gathered.differ == 0 && gathered.compared > 0;
    }
    Ok(match equal {
        true => {
            anstream::println!("\n{} no kernel differs", "PASS:".green().bold());
            Exit::Equal
        }
        false => {
            anstream::println!("\n{} a kernel differs, or none ran", "FAIL:".red().bold());
            Exit::Mismatch
        }
    })
}

impl Gathered {
    fn add(&mut self, seed: u64, result: Result<Option<Vec<&'static str>>, Box<Mismatch>>) {
        match result {
            Ok(Some(covered)) => {
                self.compared += 1;
                for what in covered {
                    *self.covered.entry(what).or_default() += 1;
                }
            }
            Ok(None) => self.skipped += 1,
            Err(mismatch) => {
                self.compared += 1;
                self.differ += 1;
                // The least seed, whatever the order in which they ran.
                if self.first.as_ref().is_none_or(|(least, _)| seed < *least) {
                    self.first = Some((seed, mismatch));
                }
            }
        }
    }

    fn print(&self, kind: Kind) {
        let covered: Vec<String> = (self.covered.iter())
            .map(|(what, count)| format!("{what} {count}"))
            .collect();
        anstream::println!(
            "{:<14}{:>10}{:>9}{:>9}  {}",
            kind.name(),
            self.compared,
            self.skipped,
            self.differ,
            covered.join(", ")
        );
        if let Some((_, mismatch)) = &self.first {
            anstream::println!("  {mismatch}");
        }
    }
}
