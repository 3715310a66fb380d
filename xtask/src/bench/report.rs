//! Everything that a run measured, as it is written to JSON.

use std::fs;

use serde::Serialize;

use super::agreement::Agreement;
use super::statistics::Spread;
use super::workload::Kind;

/// A run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The CPU by its own name.
    pub(crate) cpu: String,
    /// int8 multiply-adds that one core can do at most, 10⁹ a second.
    pub(crate) limit: f64,
    /// Rounds of each workload.
    pub(crate) rounds: u32,
    /// In the order of the tables.
    pub(crate) workloads: Vec<Measured>,
}

/// One workload.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) batch: usize,
    pub(crate) threads: usize,
    /// The cores that everything was bound to; empty where the system cannot.
    pub(crate) cores: Vec<usize>,
    /// Multiply-adds of one call.
    pub(crate) macs: f64,
    pub(crate) ours: Ours,
    pub(crate) peers: Vec<Theirs>,
    /// Engines that were asked for and gave no figure.
    pub(crate) missing: Vec<Missing>,
}

/// Our figures.
#[derive(Debug, Serialize)]
pub(crate) struct Ours {
    /// The instruction set.
    pub(crate) isa: String,
    pub(crate) figures: Figures,
}

/// A peer's.
#[derive(Debug, Serialize)]
pub(crate) struct Theirs {
    pub(crate) engine: String,
    pub(crate) version: String,
    /// Which of its operators, types and layouts.
    pub(crate) form: String,
    pub(crate) agreement: Agreement,
    /// The same in words.
    pub(crate) outputs: String,
    pub(crate) figures: Figures,
    /// How many times as long as ours it takes.
    pub(crate) ratio: Spread,
}

/// An engine without figures.
#[derive(Debug, Serialize)]
pub(crate) struct Missing {
    pub(crate) engine: String,
    pub(crate) reason: String,
}

/// What is said of an engine's time.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    /// Nanoseconds a call.
    pub(crate) nanoseconds: Spread,
    /// 10⁹ multiply-adds a second.
    pub(crate) gmacs: f64,
    /// Part of the limit of the cores that were used.
    pub(crate) share: f64,
}

impl Figures {
    /// `macs` multiply-adds in each call, on cores that can do `limit` of them together.
    pub(crate) fn new(nanoseconds: Spread, macs: f64, limit: f64) -> Self {
        let gmacs = macs / nanoseconds.median;
        Self {
            nanoseconds,
            gmacs,
            share: gmacs / limit,
        }
    }
}

impl Report {
    /// A run that has measured nothing yet.
    pub(crate) fn new(rounds: u32, limit: f64) -> Self {
        Self {
            cpu: cpu(),
            limit,
            rounds,
            workloads: Vec::new(),
        }
    }
}

/// The CPU's name where the system tells it.
fn cpu() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let named = text
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let name = named.and_then(|rest| rest.split_once(':'));
    name.map_or(std::env::consts::ARCH, |(_, name)| name.trim())
        .to_owned()
}
