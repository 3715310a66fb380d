//! `cargo xtask prove`: random layers and networks against the bound, and an adversary.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use clap::Args;
use indicatif::{ParallelProgressIterator, ProgressBar, ProgressStyle};
use owo_colors::OwoColorize;
use quant::Rounding;
use quant::prove::{Attack, Finding, attack, layer, network};
use rayon::prelude::*;

use crate::exit::Exit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// How many random layers; of networks, a tenth of it.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    cases: u64,
    /// The first seed; the cases are those of the seeds from here on.
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
}

/// How many adversaries attack each kind of network.
const ADVERSARIES: u64 = 50;
const DEEPEST: u64 = 10;

/// Exit code 0 when no code left its bound.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
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
    anstream::println!(
        "{:<18}{:>11}{:>12}{:>16}{:>10}{:>10}",
        "",
        "cases",
        "violations",
        "used, median",
        "99 %",
        "most"
    );
    let mut violated = false;
    for sample in [&layers, &networks] {
        sample.print();
        violated |= sample.violations > 0;
    }
    for on in Attack::ALL {
        let shares: Option<Vec<f64>> = (0..ADVERSARIES)
            .into_par_iter()
            .map(|seed| attack(on, arguments.seed.wrapping_add(seed)))
            .collect();
        let shares = shares.ok_or_else(|| anyhow!("an adversary's network cannot be quantized"))?;
        let findings = shares.into_iter().map(|share| Finding {
            share,
            inside: share,
            covered: Vec::new(),
        });
        let sample = Sample::new(on.name(), arguments.seed, findings.map(Some).collect());
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

/// What a number of cases of one kind showed.
struct Sample {
    name: &'static str,
    shares: Vec<f64>,
    violations: usize,
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
        let style = ProgressStyle::with_template("{prefix:>10} {bar:40} {pos}/{len} {eta}");
        let bar = ProgressBar::new(cases)
            .with_prefix(name)
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let findings = (0..cases)
            .into_par_iter()
            .progress_with(bar.clone())
            .map(|seed| case(first.wrapping_add(seed)))
            .collect();
        bar.finish_and_clear();
        Self::new(name, first, findings)
    }

    fn new(name: &'static str, first: u64, findings: Vec<Option<Finding>>) -> Self {
        let mut sample = Self {
            name,
            shares: Vec::with_capacity(findings.len()),
            violations: 0,
            first_violation: None,
            covered: BTreeMap::new(),
        };
        for (seed, finding) in (0..).zip(findings) {
            let Some(finding) = finding else { continue };
            if finding.is_violation() {
                sample.violations += 1;
                sample
                    .first_violation
                    .get_or_insert(first.wrapping_add(seed));
            }
            sample.shares.push(finding.inside);
            for part in finding.covered {
                *sample.covered.entry(part).or_default() += 1;
            }
        }
        sample.shares.sort_by(f64::total_cmp);
        sample
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
            "{:<18}{:>11}{:>12}{median:>16}{most_of_them:>10}{most:>10}",
            self.name,
            self.shares.len(),
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
