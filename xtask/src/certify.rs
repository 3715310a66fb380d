//! `cargo xtask certify`: every accumulator of int32, which contracts are equal on all of them.

use std::ops::RangeInclusive;

use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::{ParallelProgressIterator, ProgressBar, ProgressStyle};
use owo_colors::OwoColorize;
use quant::contracts::certify::{Certificate, Parting, common_domain};
use quant::contracts::{
    Channel, Clamp, Contract, ContractError, Prepared, Requantize, find, one_of_each_class,
};
use rayon::prelude::*;

use crate::exit::Exit;

#[derive(Args)]
#[command(
    after_help = "Exit codes: 0 all equal, 1 some part, 2 unusable input. A contract takes 1 to 3 s on one core for all of int32.\nExample: cargo xtask certify onnxruntime-qlinear litert-reference-conv --multiplier 0.0125"
)]
pub(crate) struct Arguments {
    /// Contracts, by the names that `cargo xtask contracts` lists; the others are compared with
    /// the first. One of each class by default.
    #[arg(value_name = "CONTRACT")]
    contracts: Vec<String>,
    /// input_scale · weight_scale / output_scale, the other two scales being 1.
    #[arg(long, value_name = "M", conflicts_with_all = ["input_scale", "weight_scale", "output_scale"])]
    multiplier: Option<f64>,
    /// Real size of an input step.
    #[arg(long, value_name = "SCALE", required_unless_present = "multiplier")]
    input_scale: Option<f64>,
    /// Real size of a weight step.
    #[arg(long, value_name = "SCALE", required_unless_present = "multiplier")]
    weight_scale: Option<f64>,
    /// Real size of an output step.
    #[arg(long, value_name = "SCALE", required_unless_present = "multiplier")]
    output_scale: Option<f64>,
    /// The code that stands for 0.
    #[arg(
        long,
        value_name = "CODE",
        default_value_t = 0,
        allow_hyphen_values = true
    )]
    output_zero_point: i32,
    /// Codes 0 to 255 instead of −128 to 127.
    #[arg(long)]
    uint8: bool,
    /// The lowest accumulator; that of int32 by default.
    #[arg(long, value_name = "ACC", default_value_t = i32::MIN, allow_hyphen_values = true)]
    from: i32,
    /// The highest accumulator; that of int32 by default.
    #[arg(long, value_name = "ACC", default_value_t = i32::MAX, allow_hyphen_values = true)]
    to: i32,
}

/// Exit code 0 when all contracts are equal, 1 when some part.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let channel = channel(arguments)?;
    let (contracts, prepared) = prepare(arguments, &channel)?;
    let prepared: Vec<&dyn Requantize> = prepared.iter().map(AsRef::as_ref).collect();
    if arguments.from > arguments.to {
        bail!(
            "no accumulator lies between {} and {}",
            arguments.from,
            arguments.to
        );
    }
    let asked = arguments.from..=arguments.to;
    let range = common_domain(&prepared, &asked).with_context(|| {
        format!(
            "there is no accumulator in {asked:?} for which all of these contracts define a result"
        )
    })?;
    if range != asked {
        anstream::println!(
            "Compared from {} to {}: beyond, some of these contracts define no result.",
            range.start(),
            range.end()
        );
    }
    let found = certificate(&prepared, &range);
    print(&contracts, &found, &range);
    let equal = found.apart.iter().all(Option::is_none);
    Ok(if equal { Exit::Equal } else { Exit::Mismatch })
}

fn channel(arguments: &Arguments) -> Result<Channel> {
    let zero_point = arguments.output_zero_point;
    let channel = match (
        arguments.input_scale,
        arguments.weight_scale,
        arguments.output_scale,
    ) {
        (Some(input), Some(weight), Some(output)) => {
            Channel::int8(input, weight, output, zero_point)
        }
        _ => {
            let multiplier = arguments
                .multiplier
                .context("give --multiplier or three scales")?;
            Channel::of_multiplier(multiplier, zero_point)
        }
    };
    let channel = Channel {
        clamp: if arguments.uint8 {
            Clamp::UINT8
        } else {
            Clamp::INT8
        },
        ..channel
    };
    channel.check()?;
    Ok(channel)
}

/// The contracts named, which must have numbers for the channel; or one of each class that has.
fn prepare(
    arguments: &Arguments,
    channel: &Channel,
) -> Result<(Vec<&'static Contract>, Vec<Prepared>)> {
    let mut chosen: Vec<(&'static Contract, Prepared)> = Vec::new();
    for name in &arguments.contracts {
        let contract = find(name).with_context(|| {
            format!("{name} is no contract; `cargo xtask contracts` lists them")
        })?;
        let prepared = contract.prepare(channel).with_context(|| name.clone())?;
        chosen.push((contract, prepared));
    }
    if arguments.contracts.is_empty() {
        for contract in one_of_each_class() {
            match contract.prepare(channel) {
                Ok(prepared) => chosen.push((contract, prepared)),
                Err(error) => not_tried(contract, &error),
            }
        }
    }
    if chosen.len() < 2 {
        bail!("give two contracts or more, or none for one of each class");
    }
    Ok(chosen.into_iter().unzip())
}

fn not_tried(contract: &Contract, error: &ContractError) {
    anstream::println!("not tried: {}: {error}", contract.name);
}

/// In parts, on all cores.
fn certificate(prepared: &[&dyn Requantize], range: &RangeInclusive<i32>) -> Certificate {
    const PART: usize = 1 << 22;
    let (low, high) = (i64::from(*range.start()), i64::from(*range.end()));
    let starts: Vec<i64> = (low..=high).step_by(PART).collect();
    let style =
        ProgressStyle::with_template("{bar:40} {percent} % of the accumulators, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(starts.len() as u64).with_style(style);
    let parts: Vec<Certificate> = (starts.into_par_iter().progress_with(bar))
        .map(|start| {
            let end = high.min(start + PART as i64 - 1);
            // Within the range, so within int32.
            Certificate::of(prepared, &(start as i32..=end as i32))
        })
        .collect();
    let none = Certificate::of(prepared, &RangeInclusive::new(1, 0));
    parts.iter().fold(none, Certificate::and)
}

fn print(contracts: &[&Contract], found: &Certificate, range: &RangeInclusive<i32>) {
    let first = contracts[0].name;
    anstream::println!(
        "{} accumulators, {} to {}.\n",
        found.compared,
        range.start(),
        range.end()
    );
    let width = contracts
        .iter()
        .map(|contract| contract.name.len())
        .max()
        .unwrap_or(0);
    anstream::println!("{}", "Equal on every one of them:".bold());
    for (index, contract) in contracts.iter().enumerate() {
        let equal: Vec<&str> = (contracts.iter().zip(&found.groups))
            .filter(|(_, group)| **group == index)
            .map(|(other, _)| other.name)
            .collect();
        match equal.len() {
            0 => {}
            1 => anstream::println!("  {} to no other", contract.name),
            _ => anstream::println!("  {}", equal.join(" = ").green()),
        }
    }
    if found.apart.iter().all(Option::is_none) {
        return;
    }
    anstream::println!("\n{}", format!("Parted from {first}:").bold());
    anstream::println!(
        "  {:<width$}  {:>12}  {:>6}  {:>6}  {:>12}",
        "",
        "lowest at",
        "theirs",
        "first",
        "differ"
    );
    for (contract, apart) in contracts.iter().zip(&found.apart) {
        let Some(Parting {
            first,
            codes,
            count,
        }) = apart
        else {
            continue;
        };
        anstream::println!(
            "  {:<width$}  {first:>12}  {:>6}  {:>6}  {count:>12}",
            contract.name,
            codes[1],
            codes[0]
        );
    }
}
