//! `cargo xtask prove`: random layers and networks against the bound, and an adversary; random
//! cases of every kernel of integer networks against the golden interpreter; or mistakes and other wrong runs against
//! the diagnosis.

mod diagnosis;
mod kernels;

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;
use indicatif::{ParallelProgressIterator, ProgressBar, ProgressStyle};
use owo_colors::OwoColorize;
use quant::Rounding;
use quant::prove::{Attack, Finding, attack, layer, network};
use rayon::prelude::*;

use crate::exit::Exit;

/// What is to be proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Claim {
    /// No code lies outside the derived bound of its distance to the float network.
    #[default]
    Bound,
    /// Every kernel of integer networks is the golden interpreter on every instruction set, to
    /// the bit.
    Kernels,
    /// Mistakes are named where they are made, and nothing else is given a name.
    Diagnosis,
}

#[derive(Args)]
pub(crate) struct Arguments {
    /// What is to be proven.
    #[arg(value_enum, default_value_t)]
    claim: Claim,
    /// How many random layers (of networks, a tenth of it), cases of each kind of kernel, or runs
    /// without a name (of single mistakes a fifth of it, of pairs a fiftieth).
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    cases: u64,
    /// The first seed; the cases are those of the seeds from here on.
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
}

/// How many adversaries attack each kind of network.
const ADVERSARIES: u64 = 50;
const DEEPEST: u64 = 10;
/// How many cases run before what they showed is gathered.
const BATCH: u64 = 1 << 16;

/// Exit code 0 when the claim holds.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    match arguments.claim {
        Claim::Bound => bound(arguments),
        Claim::Kernels => kernels::run(arguments.cases, arguments.seed),
        Claim::Diagnosis => diagnosis::run(arguments.cases, arguments.seed),
    }
}

/// Exit code 0 when no code left its bound.
fn bound(arguments: &Arguments) -> Result<Exit> {
    // Shares are of outputs that are not clamped: a clamped one uses its bound up, always.
    let layers = Sample::of("layers", arguments.cases, arguments.seed, layer);
    let networks = Sample::of(
        "networks",
        arguments.cases.div_ceil(10),
        arguments.seed,
        |seed| {
            let rounding = Rounding::ALL[(seed % Rounding::ALL.len() as u64) as usize];
            network(seed, 1 + (seed / 5 % DEEPEST) as usize, rounding)
        },
    );
    anstream::println!("Share of the bound that is used, at the outputs that are not clamped:\n");
    anstream::println!(
        "{:<18}{:>11}{:>9}{:>12}{:>11}{:>10}{:>10}",
        "",
        "cases",
        "skipped",
        "violations",
        "median",
        "99 %",
        "most"
    );
    let mut violated = false;
    for sample in [&layers, &networks] {
        sample.print();
        violated |= sample.violations > 0;
    }
    for on in Attack::ALL {
        let attacks: Vec<(u64, Option<f64>)> = (0..ADVERSARIES)
            .into_par_iter()
            .map(|i| arguments.seed.wrapping_add(i))
            .map(|seed| (seed, attack(on, seed)))
            .collect();
        let mut sample = Sample::new(on.name());
        for (seed, share) in attacks {
            let finding = share.map(|share| Finding {
                share,
                inside: share,
                covered: Vec::new(),
            });
            sample.add(seed, finding);
        }
        let sample = sample.sorted();
        sample.print();
        violated |= sample.violations > 0;
    }
    anstream::println!("\nRandom cases had in them:");
    layers.print_covered();
    networks.print_covered();
    if violated {
        anstream::println!("\n{} a code lies outside its bound", "FAIL:".red().bold());
        return Ok(Exit::Mismatch);
    }
    anstream::println!(
        "\n{} no code lies outside its bound",
        "PASS:".green().bold()
    );
    Ok(Exit::Equal)
}

/// Progress over cases.
fn bar(name: &'static str, cases: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>12} {bar:40} {pos}/{len} {eta}");
    ProgressBar::new(cases)
        .with_prefix(name)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// What a number of cases of one kind showed.
struct Sample {
    name: &'static str,
    shares: Vec<f64>,
    violations: usize,
    /// Cases of which some layer gives only zeros, so that it has no scale.
    skipped: usize,
    first_violation: Option<u64>,
    covered: BTreeMap<&'static str, usize>,
}

impl Sample {
    fn of(
        name: &'static str,
        cases: u64,
        first: u64,
        case: impl Fn(u64) -> Option<Finding> + Sync,
    ) -> Self {
        let bar = bar(name, cases);
        let mut sample = Self::new(name);
        // In batches: findings are larger than what is kept of them.
        for start in (0..cases).step_by(BATCH as usize) {
            let batch = start..cases.min(start + BATCH);
            let findings: Vec<(u64, Option<Finding>)> = batch
                .into_par_iter()
                .progress_with(bar.clone())
                .map(|i| first.wrapping_add(i))
                .map(|seed| (seed, case(seed)))
                .collect();
            for (seed, finding) in findings {
                sample.add(seed, finding);
            }
        }
        bar.finish_and_clear();
        sample.sorted()
    }

    fn new(name: &'static str) -> Self {
        Self {
            name,
            shares: Vec::new(),
            violations: 0,
            skipped: 0,
            first_violation: None,
            covered: BTreeMap::new(),
        }
    }

    fn add(&mut self, seed: u64, finding: Option<Finding>) {
        let Some(finding) = finding else {
            self.skipped += 1;
            return;
        };
        if finding.is_violation() {
            self.violations += 1;
            self.first_violation.get_or_insert(seed);
        }
        self.shares.push(finding.inside);
        for part in finding.covered {
            *self.covered.entry(part).or_default() += 1;
        }
    }

    fn sorted(mut self) -> Self {
        self.shares.sort_by(f64::total_cmp);
        self
    }

    /// The share that so many of a hundred cases do not pass.
    fn percentile(&self, percent: usize) -> f64 {
        let last = self.shares.len().saturating_sub(1);
        self.shares
            .get(last * percent / 100)
            .copied()
            .unwrap_or(0.0)
    }

    fn print(&self) {
        let [median, most_of_them, most] =
            [50, 99, 100].map(|p| format!("{:.2} %", self.percentile(p) * 100.0));
        anstream::println!(
            "{:<18}{:>11}{:>9}{:>12}{median:>11}{most_of_them:>10}{most:>10}",
            self.name,
            self.shares.len(),
            self.skipped,
            self.violations
        );
        if let Some(seed) = self.first_violation {
            anstream::println!("    the first is that of --seed {seed}");
        }
    }

    fn print_covered(&self) {
        let parts = self
            .covered
            .iter()
            .map(|(part, times)| format!("{part} {times}"));
        anstream::println!("  {}: {}", self.name, parts.collect::<Vec<_>>().join(", "));
    }
}
