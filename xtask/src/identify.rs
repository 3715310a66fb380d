//! `cargo xtask identify`: which contract made this tensor.

mod observed;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use owo_colors::OwoColorize;
use quant::contracts::directed::all_steps;
use quant::contracts::identify::{Difference, Identification, Observation};
use quant::contracts::separate::{few, reach, separate};
use quant::contracts::{Channel, Contract};

use crate::exit::Exit;
use crate::files::{make, replace_npy};
use observed::observe;

#[derive(Args)]
#[command(after_help = "Exit codes: 0 named, 1 no known contract, 2 unusable input.")]
pub(crate) struct Arguments {
    /// int32 accumulators, the integer bias included: npy, channels on --axis.
    #[arg(
        long,
        value_name = "NPY",
        conflicts_with = "input",
        required_unless_present = "input"
    )]
    acc: Option<PathBuf>,
    #[command(flatten)]
    operands: Option<Operands>,
    /// The codes made of them: int8, uint8 or int32 npy of the same shape.
    #[arg(long, value_name = "NPY")]
    out: PathBuf,
    /// Real size of an input step.
    #[arg(long, value_name = "SCALE")]
    input_scale: f64,
    /// Real size of a weight step: a number, a comma list or a npy with one for each channel.
    #[arg(long, value_name = "SCALE")]
    weight_scale: String,
    /// Real size of an output step.
    #[arg(long, value_name = "SCALE")]
    output_scale: f64,
    /// The code that stands for 0.
    #[arg(
        long,
        value_name = "CODE",
        default_value_t = 0,
        allow_hyphen_values = true
    )]
    output_zero_point: i32,
    /// Lowest code after the activation; that of the type of --out by default.
    #[arg(long, value_name = "CODE", allow_hyphen_values = true)]
    low: Option<i32>,
    /// Highest code after the activation.
    #[arg(long, value_name = "CODE", allow_hyphen_values = true)]
    high: Option<i32>,
    /// Where the channels lie, with more than one weight scale.
    #[arg(long, value_name = "AXIS", default_value_t = 1)]
    axis: usize,
    /// Write accumulators there that part all contracts that differ within two codes of the clamp:
    /// accumulators.npy, [rows, channels].
    #[arg(long, value_name = "DIR")]
    directed: Option<PathBuf>,
}

/// What accumulators are computed of, when they are not given.
#[derive(Args)]
pub(crate) struct Operands {
    /// The codes that went in, instead of --acc: NCHW, or [N, in]; int8 or uint8 npy.
    #[arg(long, value_name = "NPY", required = false, requires = "weight")]
    input: PathBuf,
    /// The codes of the weights: OIHW, or [out, in].
    #[arg(long, value_name = "NPY", required = false, requires = "input")]
    weight: PathBuf,
    /// One value for each output channel: int32 codes, or float32 in real units.
    #[arg(long, value_name = "NPY", requires = "input")]
    bias: Option<PathBuf>,
    /// The input code that stands for 0.
    #[arg(
        long,
        value_name = "CODE",
        default_value_t = 0,
        allow_hyphen_values = true
    )]
    input_zero_point: i32,
    /// The weight code that stands for 0.
    #[arg(
        long,
        value_name = "CODE",
        default_value_t = 0,
        allow_hyphen_values = true
    )]
    weight_zero_point: i32,
    /// Of a convolution: one number, or rows,columns.
    #[arg(long, value_name = "N[,N]", default_value = "1", value_parser = pair)]
    stride: [usize; 2],
    /// Of a convolution, on both sides.
    #[arg(long, value_name = "N[,N]", default_value = "0", value_parser = pair)]
    padding: [usize; 2],
    /// Of a convolution.
    #[arg(long, value_name = "N[,N]", default_value = "1", value_parser = pair)]
    dilation: [usize; 2],
    /// Of a convolution.
    #[arg(long, value_name = "N", default_value_t = 1)]
    groups: usize,
}

fn pair(text: &str) -> Result<[usize; 2], std::num::ParseIntError> {
    Ok(match text.split_once(',') {
        Some((rows, columns)) => [rows.trim().parse()?, columns.trim().parse()?],
        None => [text.trim().parse()?; 2],
    })
}

/// Exit code 0 named, 1 no known contract.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let observation = observe(arguments)?;
    if let Some(folder) = &arguments.directed {
        write_directed(folder, observation.channels())?;
    }
    let found = observation.identify();
    let count = observation.count();
    if found.exact.is_empty() {
        unknown(&found, &observation);
        return Ok(Exit::Mismatch);
    }
    anstream::println!("{} all {count} codes, exactly:", "named:".green().bold());
    let representatives = print_classes(&found.exact);
    if representatives.len() > 1 {
        print_separations(&representatives, observation.channels())?;
    }
    Ok(Exit::Equal)
}

/// One line for each class; returns the first contract of each.
fn print_classes(contracts: &[&'static Contract]) -> Vec<&'static Contract> {
    let mut first: Vec<&'static Contract> = Vec::new();
    for contract in contracts {
        if first.iter().any(|other| other.class == contract.class) {
            continue;
        }
        first.push(contract);
        let names: Vec<&str> = (contracts.iter())
            .filter(|other| other.class == contract.class)
            .map(|other| other.name)
            .collect();
        anstream::println!("  {}", names.join(" = "));
        anstream::println!("      {}", contract.formula);
    }
    first
}

/// The accumulators that would tell these contracts apart, and those that nothing would.
fn print_separations(contracts: &[&'static Contract], channels: &[Channel]) -> Result<()> {
    let separations = separate(contracts, channels, None)?;
    let telling = few(contracts, channels, &separations)?;
    anstream::println!("\nThese codes do not tell them apart.");
    if !telling.is_empty() {
        anstream::println!("These would:");
    }
    for telling in telling {
        anstream::println!(
            "  accumulator {} of channel {}",
            telling.accumulator,
            telling.channel
        );
        let codes: BTreeSet<i32> = telling.codes.iter().copied().collect();
        for code in codes {
            let names: Vec<&str> = (contracts.iter().zip(&telling.codes))
                .filter(|(_, own)| **own == code)
                .map(|(contract, _)| contract.name)
                .collect();
            anstream::println!("    {code:>5}: {}", names.join(", "));
        }
    }
    let equal = |a: &Contract, b: &Contract| {
        (separations.iter()).any(|found| found.at.is_none() && found.pair == [a, b])
    };
    // Equality is transitive: all of them are defined on what was tried.
    let mut groups: Vec<Vec<&Contract>> = Vec::new();
    for contract in contracts {
        match groups.iter_mut().find(|group| equal(group[0], contract)) {
            Some(group) => group.push(contract),
            None => groups.push(vec![contract]),
        }
    }
    groups.retain(|group| group.len() > 1);
    if !groups.is_empty() {
        anstream::println!("Nothing parts these, {}:", unclamped(channels));
        for group in groups {
            let names: Vec<&str> = group.iter().map(|contract| contract.name).collect();
            anstream::println!("    {}", names.join(" = "));
        }
    }
    Ok(())
}

/// What was tried of contracts that are equal; `cargo xtask certify` tries all of int32.
fn unclamped(channels: &[Channel]) -> String {
    let reaches: Vec<RangeInclusive<i32>> = channels.iter().map(reach).collect();
    let low = reaches.iter().map(|reach| *reach.start()).min();
    let high = reaches.iter().map(|reach| *reach.end()).max();
    let range = low.zip(high).map_or(String::new(), |(low, high)| {
        format!(" ({low} to {high} at most)")
    });
    format!("since they are equal on every accumulator within two codes of the clamp{range}")
}

fn unknown(found: &Identification, observation: &Observation) {
    let count = observation.count();
    anstream::println!(
        "{} no known contract gives these {count} codes",
        "unknown:".red().bold()
    );
    let least = found.differing.first().map(|nearest| nearest.count);
    let nearest = |difference: &&Difference| Some(difference.count) == least;
    for difference in found.differing.iter().filter(nearest) {
        let Some((acc, code, channel)) = observation.at(difference.first) else {
            continue;
        };
        anstream::println!(
            "  nearest: {}, {} differ by at most {}; the first at {} (channel {channel}): accumulator {acc}, code {code}",
            difference.contract.name,
            difference.count,
            difference.largest,
            difference.first
        );
        anstream::println!("      {}", pattern(difference));
    }
    for (contract, error) in &found.inexpressible {
        anstream::println!("  not tried: {}: {error}", contract.name);
    }
}

/// Both sides of every step of every contract, a column for each channel; columns that are
/// shorter repeat their last accumulator.
fn write_directed(folder: &Path, channels: &[Channel]) -> Result<()> {
    const MOST: usize = 4096;
    if channels.len() > MOST {
        bail!(
            "{} channels: --directed writes {MOST} at most",
            channels.len()
        );
    }
    if channels.iter().any(|channel| channel.bias.is_some()) {
        bail!(
            "--directed writes accumulators, to which a float bias is yet to be added: give the bias as int32"
        );
    }
    let columns: Vec<Vec<i32>> = (channels.iter())
        .map(|channel| all_steps(channel, &reach(channel)))
        .collect();
    let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
    let values: Vec<i32> = (0..rows)
        .flat_map(|row| {
            columns
                .iter()
                .map(move |column| column[row.min(column.len() - 1)])
        })
        .collect();
    make(folder)?;
    let path = folder.join("accumulators.npy");
    replace_npy(&path, &[rows, columns.len()], &values)?;
    anstream::println!(
        "written: {} ({rows} × {}): what gives a contract's codes on all of these, and never falls as \
         accumulators rise, is that contract until it clamps\n",
        path.display(),
        columns.len()
    );
    Ok(())
}

fn pattern(difference: &Difference) -> String {
    let pattern = difference.pattern;
    let mut words = Vec::new();
    match (pattern.ties_only, pattern.odd_zero_points_only) {
        (true, true) => words.push(
            "at ties only, with an odd zero point: another rule for halves, or the zero point is \
             added before rounding",
        ),
        (true, false) => words.push("at ties only: another rule for halves"),
        (false, _) => {}
    }
    match pattern.side {
        1 => words.push("the codes given are always greater"),
        -1 => words.push("the codes given are always less"),
        _ => words.push("on both sides"),
    }
    if pattern.edges_only {
        words.push("at the clamp edges only");
    }
    words.join("; ")
}
