//! `cargo xtask nntool compare`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use fixtures::{Fixtures, ImageSet, NetworkFixture};
use owo_colors::OwoColorize;
use reference::Tensor;
use verify::backend::folder::plain;
use verify::export::gap_log::{Comparison, LogOutcome, outputs_of, parse};
use verify::model::{Model, ModelScheme};

use crate::exit::Exit;

#[derive(Args)]
#[command(after_help = "Exit codes: 0 equal, 1 an output differs or is missing, 2 unusable input.")]
pub(crate) struct Arguments {
    /// What the board printed: a model built with GRAPH_DUMP_TENSOR.
    #[arg(long, value_name = "FILE")]
    log: PathBuf,
    /// The network that it ran.
    #[arg(long, value_name = "NAME")]
    network: String,
    /// How the network is quantized.
    #[arg(long, value_name = "SCHEME", default_value = "nntool-sq8", value_parser = crate::emit::scheme)]
    scheme: ModelScheme,
    /// Which of the 1,000 images it was given, counted from 0.
    #[arg(long, value_name = "N", default_value_t = 0)]
    image: usize,
}

/// The longest log that is read, in bytes.
const LONGEST: u64 = 256 << 20;

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    crate::network::known(&arguments.network)?;
    let path = arguments.log.display();
    let bytes = plain(&arguments.log, LONGEST).map_err(|why| anyhow::anyhow!("{path} {why}"))?;
    // A line may hold noise of the cable.
    let log = parse(&String::from_utf8_lossy(&bytes)).with_context(|| path.to_string())?;
    let fixtures = Fixtures::open(Fixtures::committed_root())?;
    let fixture = NetworkFixture::load(&fixtures, &arguments.network)?;
    let images = ImageSet::load(&fixtures, &fixture.data)?;
    let count = images.pixels.shape()[0];
    if arguments.image >= count {
        bail!(
            "there is no image {}; there are 0 to {}",
            arguments.image,
            count - 1
        );
    }
    let model = Model::new(&fixture, &images, arguments.scheme, verify::model::GOLDEN)?;
    let shape = [&[1], &images.pixels.shape()[1..]].concat();
    let image = Tensor::new(&shape, images.pixels.item(arguments.image).to_vec())?;
    let outputs = model.trace(&image.map(f64::from))?;
    let expected = outputs_of(&model, &outputs, 0)?;
    let comparison = Comparison::new(&expected, &log);
    if comparison.nodes.is_empty() {
        let names: Vec<&str> = expected.iter().map(|tensor| tensor.node.as_str()).collect();
        bail!(
            "{path} holds no output of {}; expected {}",
            arguments.network,
            names.join(", ")
        );
    }
    anstream::println!(
        "{}, {}, image {}",
        arguments.network,
        arguments.scheme,
        arguments.image
    );
    for node in &comparison.nodes {
        match node.outcome {
            LogOutcome::Equal { .. } => anstream::print!("{} ", "equal:".green().bold()),
            _ => anstream::print!("{} ", "differs:".red().bold()),
        }
        anstream::println!("{}: {}", node.node, node.outcome);
    }
    for node in &comparison.missing {
        anstream::println!("{} {node} is not in the log", "missing:".red().bold());
    }
    for node in &comparison.unknown {
        anstream::println!(
            "{} {node} is no kernel of {}",
            "unknown:".yellow().bold(),
            arguments.network
        );
    }
    let first = comparison.first_difference();
    if let Some(first) = first {
        anstream::println!(
            "The first node that differs is {}. (A log of another scheme or image: --scheme, --image.)",
            first.node
        );
    }
    Ok(match (first, comparison.missing.as_slice()) {
        (None, []) => Exit::Equal,
        _ => Exit::Mismatch,
    })
}
