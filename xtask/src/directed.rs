//! `cargo xtask directed`: the few outputs that identify every contract.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use owo_colors::OwoColorize;
use quant::contracts::directed::{
    Case, INPUT_SCALE, OUTPUT_SCALE, codes, committed, random_outputs, search,
};
use quant::contracts::{Contract, one_of_each_class};

use crate::exit::Exit;
use crate::files::{make, replace_npy};

#[derive(Args)]
#[command(
    after_help = "Exit codes: 0 each class has codes of its own, 1 two classes have the same, 2 unusable input."
)]
pub(crate) struct Arguments {
    /// Write the inputs there: accumulators.npy (int32, [1, N]) and weight_scales.npy (float64).
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Show how far 2^N random outputs get.
    #[arg(long, value_name = "N", default_value_t = 22, value_parser = clap::value_parser!(u32).range(8..=34))]
    random: u32,
    /// Search the set anew, with this seed, and print it as source text: after a new contract.
    #[arg(long, value_name = "SEED", conflicts_with_all = ["out", "random"])]
    search: Option<u64>,
}

/// Exit code 0 when the set identifies every class.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    if let Some(seed) = arguments.search {
        for case in search(seed)? {
            anstream::println!(
                "    ({:?}, {}),",
                case.channel.weight_scale,
                case.accumulator
            );
        }
        return Ok(Exit::Equal);
    }
    let (cases, classes) = (committed(), one_of_each_class());
    let made = codes(&classes, &cases)?;
    print_codes(&cases, &classes, &made);
    let same = print_separation(&classes, &made, arguments.random);
    if let Some(folder) = &arguments.out {
        write(folder, &cases)?;
    }
    Ok(if same { Exit::Mismatch } else { Exit::Equal })
}

/// A row for each class, a column for each output.
fn print_codes(cases: &[Case], classes: &[&Contract], made: &[Vec<i32>]) {
    anstream::println!(
        "{} outputs; input scale {INPUT_SCALE}, output scale {OUTPUT_SCALE}, zero point 0; weight scales and accumulators:\n",
        cases.len()
    );
    for (at, case) in cases.iter().enumerate() {
        anstream::println!(
            "  {:>2}  {:<22} {:>11}",
            at + 1,
            case.channel.weight_scale,
            case.accumulator
        );
    }
    anstream::println!("\nThe codes of each class:\n");
    for (contract, codes) in classes.iter().zip(made) {
        let codes: String = codes.iter().map(|code| format!("{code:>5}")).collect();
        anstream::println!("  {:<30}{codes}", contract.name);
    }
}

/// Exactly, within one code, and by random outputs; true if two classes have the same codes.
fn print_separation(classes: &[&'static Contract], made: &[Vec<i32>], most: u32) -> bool {
    let outputs = 0..made.first().map_or(0, Vec::len);
    let (near, all): (Vec<usize>, Vec<usize>) = (
        outputs
            .clone()
            .filter(|&at| spread(made, at) <= 1)
            .collect(),
        outputs.collect(),
    );
    let pairs = classes.len() * (classes.len() - 1) / 2;
    anstream::println!("\nOf {pairs} pairs of classes, they tell apart:\n");
    anstream::println!("  {:<34}{:>8}{:>18}", "", "exactly", "by more than ±1");
    for (what, outputs) in [
        ("whose codes lie within one", &near),
        ("with those where codes wrap", &all),
    ] {
        anstream::println!(
            "  {:<34}{:>8}{:>18}",
            format!("the {} {what}", outputs.len()),
            apart(made, outputs, 0).bold(),
            apart(made, outputs, 1)
        );
    }
    let (random, never) = random_outputs(classes, most, 1);
    anstream::println!("\nRandom outputs of generic scales, compared exactly:\n");
    for separated in random {
        anstream::println!("  {:>12}   {:>4} pairs", separated.outputs, separated.pairs);
    }
    for [a, b] in never {
        anstream::println!("  never apart: {}, {}", a.name, b.name);
    }
    apart(made, &all, 0) < pairs
}

/// How far the codes of an output lie from each other.
fn spread(made: &[Vec<i32>], at: usize) -> u32 {
    let codes = made.iter().map(|codes| codes[at]);
    let ends = codes.clone().max().zip(codes.min());
    ends.map_or(0, |(high, low)| high.abs_diff(low))
}

/// How many pairs have an output that differs by more than `gate`.
fn apart(made: &[Vec<i32>], outputs: &[usize], gate: u32) -> usize {
    (0..made.len())
        .flat_map(|b| (0..b).map(move |a| [&made[a], &made[b]]))
        .filter(|[a, b]| outputs.iter().any(|&at| a[at].abs_diff(b[at]) > gate))
        .count()
}

fn write(folder: &Path, cases: &[Case]) -> Result<()> {
    make(folder)?;
    let accumulators: Vec<i32> = cases.iter().map(|case| case.accumulator).collect();
    let scales: Vec<f64> = cases.iter().map(|case| case.channel.weight_scale).collect();
    let (accumulator_path, scale_path) = (
        folder.join("accumulators.npy"),
        folder.join("weight_scales.npy"),
    );
    replace_npy(&accumulator_path, &[1, cases.len()], &accumulators)?;
    replace_npy(&scale_path, &[cases.len()], &scales)?;
    anstream::println!(
        "\nWritten. Requantize {0} with them, and then:\n  cargo xtask identify --acc {0} --out YOURS.npy --weight-scale {1} --input-scale {INPUT_SCALE} --output-scale {OUTPUT_SCALE}",
        accumulator_path.display(),
        scale_path.display()
    );
    Ok(())
}
