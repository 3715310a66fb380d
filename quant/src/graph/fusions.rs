//! NNTool's `fusions --scale8`: what one kernel of the device computes becomes one node.
//!
//! 1. Max pools move up behind the filter, above ReLUs and concats; activations above reshapes,
//!    transposes and concats.
//! 2. A reshape before a linear layer goes: the layer reads values as they are stored.
//! 3. From each filter on, as far as one node reads the output and a kernel computes what is
//!    gathered, layers become one node, `<filter>_fusion`.
//!
//! Each step leaves every value that is read as it was: see [`Caution`] for what is not a step,
//! but follows for the codes of an average pool.

pub(super) mod group;
mod raise;
mod report;

pub use group::{GROUPS, Group, Rule, SCALE8};
pub use report::{Caution, Fused, Fusions, Left, Moved, Reason, Removed};

use reference::{Layer, Op, WeightShape};

use super::edit::Edit;
use super::{Graph, GraphError, Node, Operator, kind};
use group::{follows_filter, is_filter, is_kernel};

impl<W: WeightShape + Clone> Graph<W> {
    /// The same graph in the kernels of the device, and what was done to it.
    ///
    /// # Errors
    /// None for a graph, whose shapes fit.
    pub fn fuse_scale8(&self) -> Result<(Self, Fusions), GraphError> {
        let mut edit = Edit::new(self);
        let mut report = Fusions {
            moved: raise::raise(&mut edit)?,
            removed: remove_reshapes(&mut edit),
            ..Fusions::default()
        };
        for at in edit.places() {
            report.fused.extend(fuse(&mut edit, at));
        }
        let mut graph = edit.finish()?;
        graph.adjusted = self.adjusted;
        report.left = left(&graph);
        Ok((graph, report))
    }
}

/// Lets linear layers read what reshapes read.
fn remove_reshapes<W: WeightShape + Clone>(edit: &mut Edit<W>) -> Vec<Removed> {
    let mut removed = Vec::new();
    for at in edit.places() {
        let (Some(Operator::Op(Op::Linear { .. })), &[reshape]) =
            (edit.operator(at), edit.inputs(at))
        else {
            continue;
        };
        let (Some(Operator::Op(Op::Flatten)), &[input]) =
            (edit.operator(reshape), edit.inputs(reshape))
        else {
            continue;
        };
        removed.push(Removed {
            node: edit.name(reshape),
            before: edit.name(at),
        });
        edit.reroute(at, reshape, input);
        if edit.consumers(reshape).is_empty() {
            edit.remove(reshape);
        }
    }
    removed
}

/// The kernel that begins at a layer, if more than that layer is in it.
fn fuse<W: WeightShape + Clone>(edit: &mut Edit<W>, at: usize) -> Option<Fused> {
    let Some(Operator::Op(first)) = edit.operator(at) else {
        return None;
    };
    let mut ops = vec![first];
    let mut places = vec![at];
    let mut last = at;
    while let Some(next) = edit.only_consumer(last)
        && let Some(Operator::Op(op)) = edit.operator(next)
        && is_kernel(&[&ops[..], &[op]].concat())
    {
        ops.push(op);
        places.push(next);
        last = next;
    }
    if places.len() == 1 {
        return None;
    }
    let behind_mean = |pair: &[&Op<W>]| matches!(pair, [Op::AveragePool2d(_), Op::Relu]);
    let caution = (ops.windows(2).any(behind_mean)).then_some(Caution::ActivationBehindMean);
    let layers: Vec<Layer<W>> = (places.iter().zip(ops))
        .map(|(&at, op)| Layer {
            name: edit.name(at),
            op: op.clone(),
        })
        .collect();
    let members: Vec<String> = layers.iter().map(|layer| layer.name.clone()).collect();
    let node = Node {
        name: format!("{}_fusion", members[0]),
        operator: Operator::Fusion(layers),
        inputs: edit.inputs(at).to_vec(),
    };
    let form = edit.form(last)?.clone();
    let fusion = edit.add(node, form);
    edit.reroute_all(last, fusion);
    for place in places {
        edit.remove(place);
    }
    Some(Fused {
        members,
        into: edit.name(fusion),
        caution,
    })
}

/// Every node that is in no fusion, with the reason.
fn left<W: WeightShape + Clone>(graph: &Graph<W>) -> Vec<Left> {
    let nodes = graph.nodes().iter().enumerate();
    nodes
        .filter_map(|(at, node)| {
            let reason = match &node.operator {
                Operator::Input { .. } | Operator::Output | Operator::Fusion(_) => return None,
                Operator::Op(op) if is_filter(op) => behind_filter(graph, at),
                Operator::Op(op) if follows_filter(op) => before_follower(graph, node, op),
                _ => Reason::NoRule,
            };
            Some(Left {
                node: node.name.clone(),
                kind: node.operator.kind(),
                reason,
            })
        })
        .collect()
}

/// Why nothing was fused behind a filter.
fn behind_filter<W: WeightShape + Clone>(graph: &Graph<W>, at: usize) -> Reason {
    let readers = graph.consumers(at);
    let &[reader] = &readers[..] else {
        return Reason::Readers {
            of: graph.nodes()[at].name.clone(),
            count: readers.len(),
        };
    };
    let next = &graph.nodes()[reader];
    match &next.operator {
        Operator::Output => Reason::Last,
        operator => Reason::Next {
            node: next.name.clone(),
            kind: operator.kind(),
        },
    }
}

/// Why an activation or a pool was fused with nothing before it.
fn before_follower<W: WeightShape + Clone>(graph: &Graph<W>, node: &Node<W>, op: &Op<W>) -> Reason {
    let Some(&input) = node.inputs.first() else {
        return Reason::NoRule;
    };
    let before = &graph.nodes()[input];
    let mut layers: Vec<&'static str> = match &before.operator {
        Operator::Fusion(layers) => layers.iter().map(|layer| kind(&layer.op)).collect(),
        Operator::Op(op) if is_filter(op) => vec![kind(op)],
        operator => {
            return Reason::NoFilter {
                node: before.name.clone(),
                kind: operator.kind(),
            };
        }
    };
    let count = graph.consumers(input).len();
    if count > 1 {
        return Reason::Readers {
            of: before.name.clone(),
            count,
        };
    }
    layers.push(kind(op));
    Reason::NoKernel { layers }
}
