//! A float network as NNTool sees it: under its names, in the order in which its kernels compute.

use quant::graph::{Graph, Layout, Operator};
use quant::observers::Range;
use quant::sq8::NodeRanges;
use quant::{QuantError, QuantNetwork};
use reference::{Layer, Network, Tensor, Weights};

use super::state::{Extremes, State};
use crate::export::ExportError;

/// A network after `adjust` and `fusions --scale8`.
#[derive(Clone, Debug)]
pub struct Source {
    /// In kernels.
    pub graph: Graph<Weights<f32>>,
    /// The same layers one by one, pools where the kernels have them.
    pub network: Network<Weights<f32>>,
    /// Where each layer of the float network is called how, in its own order.
    names: Vec<String>,
}

impl Source {
    /// Of a float network; a log-softmax at its end is left out, as elsewhere.
    ///
    /// # Errors
    /// None for a network that can be quantized.
    pub fn new(float: &Network<Weights<f32>>) -> Result<Self, ExportError> {
        let body = QuantNetwork::body(float)?;
        let open = Graph::from_network(&body)?;
        let (adjusted, _) = open.adjust(Layout::CHW)?;
        let (graph, fusions) = adjusted.fuse_scale8()?;
        let names = (open.nodes().iter())
            .filter(|node| !matches!(node.operator, Operator::Input { .. } | Operator::Output))
            .map(|node| node.name.clone());
        let names: Vec<String> = names.collect();
        let mut layers: Vec<Layer<Weights<f32>>> = (body.layers().iter().zip(&names))
            .map(|(layer, name)| Layer {
                name: name.clone(),
                op: layer.op.clone(),
            })
            .collect();
        for moved in &fusions.moved {
            let place = |name: &str| layers.iter().position(|layer| layer.name == name);
            if let (Some(from), Some(to)) = (place(&moved.node), place(&moved.above)) {
                let layer = layers.remove(from);
                layers.insert(to, layer);
            }
        }
        let network = Network::new(body.name(), body.input().clone(), layers)?;
        Ok(Self {
            graph,
            network,
            names,
        })
    }

    /// Every kernel: its step, its name, and which layer of the float network gives its output,
    /// the last of those in it. Two constants are steps before it.
    pub fn kernels(&self) -> impl Iterator<Item = (usize, &str, usize)> {
        let nodes = self.graph.nodes().iter();
        let kernels = nodes.filter(|node| node.operator.weights().is_some());
        kernels.enumerate().filter_map(|(at, node)| {
            let place = |name: &str| self.names.iter().position(|own| own == name);
            let last = match &node.operator {
                Operator::Fusion(layers) => layers.iter().filter_map(|l| place(&l.name)).max(),
                _ => place(&node.name),
            };
            Some((3 * (at + 1), node.name.as_str(), last?))
        })
    }

    /// What `aquant` collects of these pixels [N, C, H, W].
    ///
    /// # Errors
    /// Images that are not the network's.
    pub fn ranges(&self, pixels: &Tensor<u8>) -> Result<NodeRanges, QuantError> {
        NodeRanges::observe(&self.network, &self.network.input().normalize(pixels))
    }

    /// Ranges under the names of their nodes.
    pub fn stats(&self, ranges: &NodeRanges) -> State {
        let extremes = |range: &Range| Extremes {
            min: range.low.into(),
            max: range.high.into(),
        };
        let outputs = self.network.layers().iter().zip(&ranges.outputs);
        let outputs = outputs.map(|(layer, range)| (layer.name.clone(), extremes(range)));
        let input = (quant::graph::INPUT.to_owned(), extremes(&ranges.input));
        State {
            history: Vec::new(),
            stats: outputs.chain([input]).collect(),
        }
    }

    /// The ranges of a state. Pools and reshapes keep what they are given: where the state does
    /// not name one, its range is that of what it reads.
    ///
    /// # Errors
    /// The name of a node that has to have one.
    pub fn ranges_of(&self, state: &State) -> Result<NodeRanges, String> {
        let of = |name: &str| {
            let extremes = state.of(name);
            extremes.map(|Extremes { min, max }| Range {
                low: min as f32,
                high: max as f32,
            })
        };
        let input = of(quant::graph::INPUT).ok_or(quant::graph::INPUT)?;
        let mut last = input;
        let mut outputs = Vec::with_capacity(self.network.layers().len());
        for layer in self.network.layers() {
            let keeps = layer.weights().is_none() && !matches!(layer.op, reference::Op::Relu);
            last = match of(&layer.name) {
                Some(range) => range,
                None if keeps => last,
                None => return Err(layer.name.clone()),
            };
            outputs.push(last);
        }
        Ok(NodeRanges { input, outputs })
    }
}
