//! `cargo xtask nntool fusions`.

use anyhow::Result;
use clap::Args;
use owo_colors::OwoColorize;
use quant::graph::fusions::{Fused, GROUPS, SCALE8};
use quant::graph::{Graph, Layout};

use super::table::table;
use crate::exit::Exit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The network, adjusted first to channels first.
    #[arg(long, value_name = "NAME", required_unless_present = "list")]
    network: Option<String>,
    /// Apply the rules for 8-bit codes with a multiplier and a shift.
    #[arg(long)]
    scale8: bool,
    /// List the rules in the order in which they are applied.
    #[arg(short, long, conflicts_with_all = ["network", "scale8"])]
    list: bool,
}

/// Prints what was fused, what was not and why; or the rules.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    match &arguments.network {
        Some(network) if arguments.scale8 => fuse(network),
        Some(network) => {
            crate::network::known(network)?;
            let rows = GROUPS.map(|group| [group.option.to_owned(), group.what.to_owned()]);
            anstream::println!("{}\n", table(["group", "what for"], rows));
            anstream::println!(
                "{} {network} is as it was: no group was asked for. Next: --scale8; -l lists its rules.",
                "nothing fused:".yellow().bold()
            );
            Ok(Exit::Equal)
        }
        None => {
            let rows = SCALE8.map(|rule| [rule.name.to_owned(), rule.what.to_owned()]);
            anstream::println!("{}\n", table(["rule of --scale8", "what it does"], rows));
            anstream::println!(
                "{} rules, applied in this order by --scale8 with --network NAME.",
                SCALE8.len()
            );
            Ok(Exit::Equal)
        }
    }
}

fn fuse(name: &str) -> Result<Exit> {
    let network = crate::network::load(name)?.network;
    let (graph, _) = Graph::from_network(&network)?.adjust(Layout::CHW)?;
    let (_, report) = graph.fuse_scale8()?;
    let moved = report
        .moved
        .iter()
        .map(|m| ["moved".to_owned(), m.to_string()]);
    let removed = report
        .removed
        .iter()
        .map(|r| ["removed".to_owned(), r.to_string()]);
    let rows: Vec<_> = moved.chain(removed).collect();
    if !rows.is_empty() {
        anstream::println!("{}\n", table(["before fusing", ""], rows));
    }
    let rows =
        (report.fused.iter()).map(|Fused { members, into, .. }| [members.join("+"), into.clone()]);
    anstream::println!("{}\n", table(["fused", "into"], rows));
    for fused in &report.fused {
        if let Some(caution) = fused.caution {
            anstream::println!("{}: {caution}.\n", fused.into);
        }
    }
    let rows = (report.left.iter()).map(|left| {
        [
            left.node.clone(),
            left.kind.to_owned(),
            left.reason.to_string(),
        ]
    });
    anstream::println!("{}\n", table(["left", "kind", "why"], rows));
    let layers: usize = report.fused.iter().map(|fused| fused.members.len()).sum();
    anstream::println!(
        "{} {layers} nodes of {name} became {}, {} left. Same values; next: quantize (aquant).",
        "fused:".green().bold(),
        report.fused.len(),
        report.left.len()
    );
    Ok(Exit::Equal)
}
