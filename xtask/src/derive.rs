//! `cargo xtask derive`: the formulas, line by line, as on a board.

mod latex;
mod lecture;
mod markdown;
mod text;

use anyhow::{Result, anyhow, bail};
use clap::{Args, ValueEnum};
use fixtures::NetworkFixture;
use quant::calibrator::Ranges;
use quant::formulas::conventions::Convention;
use quant::symbolic::derive::{LayerPlan, NetworkNumbers, Plan, derive};
use quant::symbolic::{Verdict, check};
use reference::Op;

use crate::convention::ConventionName;
use crate::exit::Exit;
use crate::network;
use lecture::Lecture;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The layers of a network, with its numbers.
    #[arg(long, value_name = "NAME", conflicts_with = "layers")]
    network: Option<String>,
    /// Layers with bias, ReLU and pool, and then one of any depth.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=16))]
    layers: u32,
    /// How scales are written.
    #[arg(long, value_enum, default_value = "relative")]
    convention: ConventionName,
    /// Codes are shifted by zero points (without a network: the committed ones have none).
    #[arg(long, conflicts_with = "network")]
    zero_points: bool,
    /// How it is printed; LaTeX is a whole document, with amsmath.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Markdown,
    Latex,
}

/// Exit code 0; 1 if a line should not cancel.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let convention = arguments.convention.into();
    let (title, plan, numbers) = match &arguments.network {
        Some(name) => of_network(&network::load(name)?, convention),
        None => {
            let plan = Plan::general(arguments.layers, convention, arguments.zero_points);
            let zero_points = match arguments.zero_points {
                true => ", with zero points",
                false => "",
            };
            let title = match arguments.layers {
                1 => format!("One layer, and any depth{zero_points}"),
                layers => format!("{layers} layers, and any depth{zero_points}"),
            };
            (title, plan, None)
        }
    };
    let sections = derive(&plan).map_err(|error| anyhow!("{error}"))?;
    let mut lines = 0;
    for step in sections.iter().flat_map(|section| &section.steps) {
        lines += 1;
        if !matches!(
            check(&step.formula, &[], Some(convention)),
            Ok(Verdict::Right(_))
        ) {
            bail!(
                "this line of the derivation does not cancel, a bug in Karat: {}",
                step.formula
            );
        }
    }
    let lecture = Lecture {
        title,
        convention,
        sections,
        numbers,
        lines,
    };
    let printed = match arguments.format {
        Format::Text => text::print(&lecture),
        Format::Markdown => markdown::print(&lecture),
        Format::Latex => latex::print(&lecture),
    };
    anstream::print!("{printed}");
    Ok(Exit::Equal)
}

fn of_network(
    fixture: &NetworkFixture,
    convention: Convention,
) -> (String, Plan, Option<NetworkNumbers>) {
    let mut layers: Vec<LayerPlan> = Vec::new();
    for layer in fixture.network.layers() {
        match (&layer.op, layers.last_mut()) {
            (Op::Conv2d { weights, .. } | Op::Linear { weights }, _) => layers.push(LayerPlan {
                name: Some(layer.name.clone()),
                bias: weights.bias.is_some(),
                after: Vec::new(),
            }),
            (Op::Relu, Some(before)) => before.after.push("relu"),
            (Op::MaxPool2d(_) | Op::AveragePool2d(_), Some(before)) => before.after.push("pool"),
            _ => {}
        }
    }
    let ranges = Ranges {
        input: fixture.int8.input_range,
        outputs: fixture.int8.output_ranges.clone(),
    };
    let numbers = NetworkNumbers::new(&fixture.network, &fixture.int8.network, &ranges, convention);
    let plan = Plan {
        convention,
        layers,
        zero_points: false,
        any_depth: false,
    };
    (fixture.network.name().to_owned(), plan, Some(numbers))
}
