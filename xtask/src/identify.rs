//! `cargo xtask identify`: which contract made this tensor.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use fixtures::npy::header::Header;
use fixtures::npy::parse;
use owo_colors::OwoColorize;
use quant::contracts::identify::{Difference, Identification, Observation};
use quant::contracts::separate::{reach, separate};
use quant::contracts::{Channel, Clamp, Contract};
use quant::scheme::Granularity;

use crate::exit::Exit;

#[derive(Args)]
#[command(after_help = "Exit codes: 0 named, 1 no known contract, 2 unusable input.")]
pub(crate) struct Arguments {
    /// int32 accumulators, the integer bias included: npy, channels on --axis.
    #[arg(long, value_name = "NPY")]
    acc: PathBuf,
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
}

/// Exit code 0 named, 1 no known contract.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let observation = observe(arguments)?;
    let found = observation.identify();
    let count = observation.count();
    if found.exact.is_empty() {
        unknown(&found, &observation);
        return Ok(Exit::Mismatch);
    }
    anstream::println!("{} all {count} codes, exactly:", "named:".green().bold());
    let representatives = print_classes(&found.exact);
    if representatives.len() > 1 {
        anstream::println!("\nThese codes do not tell them apart. What would:");
        let channels = observation.channels();
        for separation in separate(&representatives, channels, None)? {
            let [a, b] = separation.pair.map(|contract| contract.name);
            match separation.at {
                Some(at) => anstream::println!(
                    "  accumulator {} of channel {}: {a} gives {}, {b} {}",
                    at.accumulator,
                    at.channel,
                    at.codes[0],
                    at.codes[1]
                ),
                None => anstream::println!("  {a}, {b}: {}", equal_here(channels)),
            }
        }
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

fn equal_here(channels: &[Channel]) -> String {
    let reaches: Vec<RangeInclusive<i32>> = channels.iter().map(reach).collect();
    let low = reaches.iter().map(|reach| *reach.start()).min();
    let high = reaches.iter().map(|reach| *reach.end()).max();
    match (low, high) {
        (Some(low), Some(high)) => format!(
            "equal here, on every accumulator whose code is not clamped ({low} to {high} at most)"
        ),
        _ => "equal here".to_owned(),
    }
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

fn pattern(difference: &Difference) -> String {
    let pattern = difference.pattern;
    let mut words = Vec::new();
    if pattern.ties_only {
        words.push("at ties only: another rule for halves");
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

fn observe(arguments: &Arguments) -> Result<Observation> {
    let accumulators = parse::<i32>(&read(&arguments.acc)?)
        .with_context(|| arguments.acc.display().to_string())?;
    let (shape, codes, full) = codes(&arguments.out)?;
    if accumulators.shape() != shape {
        bail!(
            "the accumulators are {:?}, the codes {shape:?}",
            accumulators.shape()
        );
    }
    let weight_scales = numbers(&arguments.weight_scale)?;
    let (positions, granularity) = match weight_scales.len() {
        1 => (accumulators.data().len(), Granularity::PerTensor),
        count => {
            if shape.get(arguments.axis) != Some(&count) {
                bail!(
                    "{count} weight scales, but axis {} of {shape:?} has another size",
                    arguments.axis
                );
            }
            let after = &shape[arguments.axis + 1..];
            (after.iter().product(), Granularity::PerChannel)
        }
    };
    let channels = (weight_scales.into_iter())
        .map(|weight_scale| Channel {
            clamp: Clamp {
                low: arguments.low.unwrap_or(full.low),
                high: arguments.high.unwrap_or(full.high),
            },
            granularity,
            ..Channel::int8(
                arguments.input_scale,
                weight_scale,
                arguments.output_scale,
                arguments.output_zero_point,
            )
        })
        .collect::<Vec<_>>();
    for channel in &channels {
        channel.check()?;
    }
    let accumulators = accumulators.data().to_vec();
    Ok(Observation::new(channels, positions, accumulators, codes)?)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| path.display().to_string())
}

/// Shape, codes, and the codes that their type has; int32 is taken for int8.
fn codes(path: &Path) -> Result<(Vec<usize>, Vec<i32>, Clamp)> {
    let bytes = read(path)?;
    let name = || path.display().to_string();
    let (header, _) = Header::read(&bytes).with_context(name)?;
    let (tensor, clamp) = match header.descr {
        "|u1" => (
            parse::<u8>(&bytes).with_context(name)?.map(i32::from),
            Clamp::UINT8,
        ),
        "|i1" => (
            parse::<i8>(&bytes).with_context(name)?.map(i32::from),
            Clamp::INT8,
        ),
        _ => (parse::<i32>(&bytes).with_context(name)?, Clamp::INT8),
    };
    Ok((tensor.shape().to_vec(), tensor.data().to_vec(), clamp))
}

/// A comma list, or the path of a npy file of float32 or float64.
fn numbers(text: &str) -> Result<Vec<f64>> {
    if !text.ends_with(".npy") {
        return (text.split(','))
            .map(|number| {
                let number = number.trim();
                number
                    .parse()
                    .with_context(|| format!("{number:?} is no number"))
            })
            .collect();
    }
    let bytes = read(Path::new(text))?;
    let (header, _) = Header::read(&bytes).with_context(|| text.to_owned())?;
    Ok(match header.descr {
        "<f8" => parse::<f64>(&bytes)
            .with_context(|| text.to_owned())?
            .data()
            .to_vec(),
        _ => {
            let single = parse::<f32>(&bytes).with_context(|| text.to_owned())?;
            single
                .data()
                .iter()
                .map(|&scale| f64::from(scale))
                .collect()
        }
    })
}
