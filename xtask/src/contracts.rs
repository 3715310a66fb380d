//! `cargo xtask contracts`: what each contract computes, and how often two of them differ.

use anyhow::Result;
use clap::Args;
use quant::contracts::{ALL, Channel, Contract};

use crate::exit::Exit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// How many channels, each with its own random multiplier; of 1021 accumulators each.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=65536))]
    channels: u32,
}

/// A prime: evenly spread, they do not fall on ties by themselves.
const ACCUMULATORS: u32 = 1021;

/// Always exit code 0.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    for contract in ALL {
        anstream::println!(
            "{}  ({}, {})",
            contract.name,
            contract.version,
            contract.source
        );
        anstream::println!("    {}", contract.formula);
        if !contract.class.equal_because.is_empty() {
            anstream::println!(
                "    class {}: {}",
                contract.class.name,
                contract.class.equal_because
            );
        }
    }
    let mut classes: Vec<&Contract> = Vec::new();
    for contract in ALL {
        if classes.iter().all(|other| other.class != contract.class) {
            classes.push(contract);
        }
    }
    anstream::println!(
        "\nOutputs that differ, in %, one contract of each class; {} accumulators evenly over the \
         codes of each of {} channels,\nmultipliers evenly (by logarithm) from 2^-11 to 2^-4, zero \
         point 0; and below the diagonal the same with powers of two:\n",
        ACCUMULATORS,
        arguments.channels
    );
    let random = rates(&classes, arguments.channels, |share| {
        2f64.powf(-11.0 + 7.0 * share)
    });
    let powers = rates(&classes, arguments.channels, |share| {
        2f64.powf((-11.0 + 7.0 * share).round())
    });
    let header: String = (1..=classes.len())
        .map(|column| format!("{column:>7}"))
        .collect();
    anstream::println!("{:<34}{header}", "");
    for (row, contract) in classes.iter().enumerate() {
        let cells: String = (0..classes.len())
            .map(|column| match row.cmp(&column) {
                std::cmp::Ordering::Less => format!("{:>7.3}", random[row][column]),
                std::cmp::Ordering::Equal => format!("{:>7}", "."),
                std::cmp::Ordering::Greater => format!("{:>7.3}", powers[row][column]),
            })
            .collect();
        anstream::println!("{:>2} {:<31}{cells}", row + 1, contract.name);
    }
    Ok(Exit::Equal)
}

/// In percent, of each pair; `multiplier` of a channel's share of the way, 0 to 1.
fn rates(classes: &[&Contract], channels: u32, multiplier: fn(f64) -> f64) -> Vec<Vec<f64>> {
    let mut differing = vec![vec![0u32; classes.len()]; classes.len()];
    let mut compared = differing.clone();
    for index in 0..channels {
        let share = (f64::from(index) + 0.5) / f64::from(channels);
        let channel = Channel::of_multiplier(multiplier(share), 0);
        let accumulators: Vec<i32> = (0..ACCUMULATORS)
            .map(|i| {
                let code = f64::from(i) / f64::from(ACCUMULATORS) * 256.0 - 128.0;
                (code / channel.multiplier()).round() as i32
            })
            .collect();
        let codes: Vec<Option<Vec<i32>>> = (classes.iter())
            .map(|contract| {
                let prepared = contract.prepare(&channel).ok()?;
                Some(
                    accumulators
                        .iter()
                        .map(|&acc| prepared.requantize(acc))
                        .collect(),
                )
            })
            .collect();
        for (a, left) in codes.iter().enumerate() {
            for (b, right) in codes.iter().enumerate() {
                if let (Some(left), Some(right)) = (left, right) {
                    compared[a][b] += ACCUMULATORS;
                    let unequal = left.iter().zip(right).filter(|(a, b)| a != b).count();
                    differing[a][b] += unequal as u32;
                }
            }
        }
    }
    (differing.iter().zip(&compared))
        .map(|(differing, compared)| {
            (differing.iter().zip(compared))
                .map(|(&differing, &compared)| {
                    100.0 * f64::from(differing) / f64::from(compared.max(1))
                })
                .collect()
        })
        .collect()
}
