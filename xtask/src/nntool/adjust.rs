//! `cargo xtask nntool adjust`.

use anyhow::Result;
use clap::{Args, ValueEnum};
use owo_colors::OwoColorize;
use quant::graph::adjust::Adjustment;
use quant::graph::{Axis, Graph, Layout, Node, Operator};
use reference::{Op, Weights};

use super::table::table;
use crate::exit::Exit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The network.
    #[arg(long, value_name = "NAME")]
    network: String,
    /// The order of axes in which the target's kernels work.
    #[arg(long, value_enum, default_value_t = Order::Chw)]
    layout: Order,
}

#[derive(Clone, Copy, ValueEnum)]
enum Order {
    /// Channels first: the kernels of the cluster.
    Chw,
    /// Channels last: the NE16 accelerator.
    Hwc,
}

/// Prints the nodes, what was done, and what is left.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let target = match arguments.layout {
        Order::Chw => Layout::CHW,
        Order::Hwc => Layout::HWC,
    };
    let network = crate::network::load(&arguments.network)?.network;
    let (graph, report) = Graph::from_network(&network)?.adjust(target)?;
    let rows = (graph.nodes().iter().zip(graph.forms())).map(|(node, form)| {
        [
            node.name.clone(),
            node.operator.kind().to_owned(),
            shape(&form.shape),
            form.layout.map(|l| l.to_string()).unwrap_or_default(),
            weights(node, target),
        ]
    });
    let header = ["node", "kind", "output", "order", "weights"];
    anstream::println!("{}\n", table(header, rows));
    if !report.changes.is_empty() {
        let rows = (report.changes.iter())
            .map(|change| [change.verb().to_owned(), change.to_string()])
            .chain((report.kept.iter()).map(|kept| ["kept".to_owned(), kept.to_string()]));
        anstream::println!("{}\n", table(["transposes", ""], rows));
    }
    anstream::println!("{}", verdict(graph.name(), &report));
    Ok(Exit::Equal)
}

fn shape(sizes: &[usize]) -> String {
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    sizes.join("×")
}

/// The shape of a node's weight, and what its axes are.
fn weights(node: &Node<Weights<f32>>, target: Layout) -> String {
    let Some(weights) = node.operator.weights() else {
        return String::new();
    };
    let axes = match node.operator {
        Operator::Op(Op::Conv2d { .. }) => {
            let [a, b, c] = target.axes().map(|axis| match axis {
                Axis::C => "in",
                Axis::H => "h",
                Axis::W => "w",
            });
            format!("out,{a},{b},{c}")
        }
        _ => "out,in".to_owned(),
    };
    format!("{axes}: {}", shape(weights.weight.shape()))
}

/// What was done, and what follows.
fn verdict(network: &str, report: &Adjustment) -> String {
    let done = match report.changes.is_empty() {
        true => "no transpose was needed".to_owned(),
        false => {
            let count = |verb| format!("{} {verb}", report.count(verb));
            let counts = ["inserted", "cancelled", "absorbed"].map(count).join(", ");
            format!("transposes: {counts}, {} left", report.kept.len())
        }
    };
    let outputs = match report.count("absorbed") {
        0 => "Same outputs",
        _ => "Same outputs, but for the order of float sums where a transpose was absorbed",
    };
    format!(
        "{} {network} is in {} order; {done}. {outputs}; next: nntool fusions --scale8.",
        "adjusted:".green().bold(),
        report.target
    )
}
