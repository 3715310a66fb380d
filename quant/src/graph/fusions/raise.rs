//! Nodes that move above what they read: `n(p(x)) = p(n(x))`.
//!
//! A max pool commutes with a ReLU, since the largest of some values stays the largest under
//! any function that keeps their order; with a concat of channels, since it treats each by itself. A
//! ReLU commutes with all that only moves values. An average commutes with no ReLU.

use reference::{Op, WeightShape};

use super::group::is_filter;
use crate::graph::edit::Edit;
use crate::graph::fusions::Moved;
use crate::graph::{GraphError, Node, Operator, form};

/// Moves nodes up as long as one can: what moved, one step an entry.
///
/// # Errors
/// None where the shapes of the graph fit.
pub(super) fn raise<W: WeightShape + Clone>(edit: &mut Edit<W>) -> Result<Vec<Moved>, GraphError> {
    let mut moved = Vec::new();
    loop {
        let next = (edit.places().into_iter()).find_map(|at| Some((at, above(edit, at)?)));
        let Some((at, over)) = next else {
            return Ok(moved);
        };
        moved.push(Moved {
            node: edit.name(at),
            above: edit.name(over),
        });
        swap(edit, at, over)?;
    }
}

/// What a node is to move above, if it is to.
fn above<W: WeightShape + Clone>(edit: &Edit<W>, at: usize) -> Option<usize> {
    let passes: fn(&Operator<W>) -> bool = match edit.operator(at)? {
        Operator::Op(Op::MaxPool2d(_)) => {
            |over| matches!(over, Operator::Op(Op::Relu) | Operator::Concat)
        }
        Operator::Op(Op::Relu) => |over| {
            matches!(
                over,
                Operator::Op(Op::Flatten) | Operator::Transpose { .. } | Operator::Concat
            )
        },
        _ => return None,
    };
    let &[over] = edit.inputs(at) else {
        return None;
    };
    let pool_is_raised = !matches!(edit.operator(at)?, Operator::Op(Op::Relu));
    (passes(edit.operator(over)?) && ends_at_filters(edit, over, passes, pool_is_raised))
        .then_some(over)
}

/// Whether all that leads to a node, through nodes that one node reads, begins with a filter;
/// behind a filter there may be a pool, unless a pool is to come there.
fn ends_at_filters<W: WeightShape + Clone>(
    edit: &Edit<W>,
    from: usize,
    passes: fn(&Operator<W>) -> bool,
    pool_is_raised: bool,
) -> bool {
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if edit.only_consumer(at).is_none() {
            return false;
        }
        match edit.operator(at) {
            Some(operator) if passes(operator) => open.extend(edit.inputs(at)),
            Some(Operator::Op(op)) if is_filter(op) => {}
            Some(Operator::Op(Op::MaxPool2d(_) | Op::AveragePool2d(_))) if !pool_is_raised => {
                let &[filter] = edit.inputs(at) else {
                    return false;
                };
                let is_conv =
                    matches!(edit.operator(filter), Some(Operator::Op(Op::Conv2d { .. })));
                if !is_conv || edit.only_consumer(filter).is_none() {
                    return false;
                }
            }
            _ => return false,
        }
    }
    true
}

/// Lets `over` read what `at` makes of each of its inputs.
fn swap<W: WeightShape + Clone>(
    edit: &mut Edit<W>,
    at: usize,
    over: usize,
) -> Result<(), GraphError> {
    let (Some(node), Some(made)) = (edit.get(at).cloned(), edit.form(at).cloned()) else {
        return Ok(());
    };
    edit.reroute_all(at, over);
    edit.remove(at);
    let inputs = edit.inputs(over).to_vec();
    for (copy, &input) in inputs.iter().enumerate() {
        let own = (edit.form(input))
            .map(|form| form::of(&node.operator, &[form]))
            .transpose()
            .map_err(|problem| problem.at(&node.name))?;
        let name = match inputs.len() {
            1 => node.name.clone(),
            _ => format!("{}_{copy}", node.name),
        };
        let copied = Node::new(name, node.operator.clone(), &[input]);
        // Every node has a form.
        let raised = edit.add(copied, own.unwrap_or_else(|| made.clone()));
        edit.reroute(over, input, raised);
    }
    edit.set_form(over, made);
    Ok(())
}
