//! The order of execution: each node follows what it reads (Kahn's algorithm; of nodes that may
//! run next, the one that was named first).

use std::collections::{BTreeSet, HashSet};

use super::{GraphError, Node, Operator};

/// The same nodes, in order.
///
/// # Errors
/// Everything that [`Graph::new`](super::Graph::new) refuses but shapes.
pub(super) fn sorted<W>(nodes: Vec<Node<W>>) -> Result<Vec<Node<W>>, GraphError> {
    check(&nodes)?;
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        for &input in &node.inputs {
            readers[input].push(index);
        }
    }
    let mut waiting: Vec<usize> = nodes.iter().map(|node| node.inputs.len()).collect();
    let mut ready: BTreeSet<usize> = (0..nodes.len()).filter(|&i| waiting[i] == 0).collect();
    let mut place = vec![None; nodes.len()];
    let mut placed = 0;
    while let Some(next) = ready.pop_first() {
        place[next] = Some(placed);
        placed += 1;
        for &reader in &readers[next] {
            waiting[reader] -= 1;
            if waiting[reader] == 0 {
                ready.insert(reader);
            }
        }
    }
    if placed < nodes.len() {
        return Err(cycle(&nodes, &place));
    }
    let mut ordered: Vec<(usize, Node<W>)> = (nodes.into_iter().zip(&place))
        .map(|(mut node, at)| {
            // All are placed.
            node.inputs = (node.inputs.iter()).filter_map(|&i| place[i]).collect();
            (at.unwrap_or(0), node)
        })
        .collect();
    ordered.sort_by_key(|&(at, _)| at);
    Ok(ordered.into_iter().map(|(_, node)| node).collect())
}

fn check<W>(nodes: &[Node<W>]) -> Result<(), GraphError> {
    let mut names = HashSet::new();
    let mut read = vec![false; nodes.len()];
    for node in nodes {
        if !names.insert(node.name.as_str()) {
            return Err(GraphError::SameName {
                name: node.name.clone(),
            });
        }
        for &input in &node.inputs {
            let Some(source) = nodes.get(input) else {
                return Err(GraphError::Dangling {
                    node: node.name.clone(),
                    input,
                    nodes: nodes.len(),
                });
            };
            if matches!(source.operator, Operator::Output) {
                return Err(GraphError::ReadsOutput {
                    node: node.name.clone(),
                    output: source.name.clone(),
                });
            }
            read[input] = true;
        }
    }
    let output = |node: &Node<W>| matches!(node.operator, Operator::Output);
    if !nodes.iter().any(output) {
        return Err(GraphError::NoOutput);
    }
    match (nodes.iter().zip(read)).find(|&(node, read)| !read && !output(node)) {
        Some((node, _)) => Err(GraphError::Unread {
            node: node.name.clone(),
        }),
        None => Ok(()),
    }
}

/// One circle among the nodes that could not be placed: each of them waits for another.
fn cycle<W>(nodes: &[Node<W>], place: &[Option<usize>]) -> GraphError {
    let waits_for = |node: usize| {
        let mut inputs = nodes[node].inputs.iter().copied();
        inputs.find(|&input| place[input].is_none())
    };
    let mut path: Vec<usize> = Vec::new();
    let mut next = place.iter().position(Option::is_none);
    while let Some(node) = next {
        if let Some(start) = path.iter().position(|&earlier| earlier == node) {
            path.drain(..start);
            break;
        }
        path.push(node);
        next = waits_for(node);
    }
    GraphError::Cycle {
        // The path leads against the flow.
        nodes: (path.iter().rev())
            .map(|&node| nodes[node].name.clone())
            .collect(),
    }
}
