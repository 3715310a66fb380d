//! A graph while a pass rewrites it: places stay where they are, some are empty.

use std::collections::HashSet;

use super::{Form, Graph, GraphError, Node, Operator};
use reference::WeightShape;

/// Nodes at fixed places, with the forms of their outputs.
pub(super) struct Edit<W> {
    name: String,
    nodes: Vec<Option<(Node<W>, Form)>>,
    names: HashSet<String>,
}

impl<W: WeightShape + Clone> Edit<W> {
    pub(super) fn new(graph: &Graph<W>) -> Self {
        let nodes = graph.nodes.iter().cloned().zip(graph.forms.iter().cloned());
        Self {
            name: graph.name.clone(),
            nodes: nodes.map(Some).collect(),
            names: graph.nodes.iter().map(|node| node.name.clone()).collect(),
        }
    }

    /// The places that hold a node.
    pub(super) fn places(&self) -> Vec<usize> {
        (0..self.nodes.len())
            .filter(|&at| self.nodes[at].is_some())
            .collect()
    }

    /// The node at a place, unless it has been taken away.
    pub(super) fn get(&self, at: usize) -> Option<&Node<W>> {
        self.nodes[at].as_ref().map(|(node, _)| node)
    }

    pub(super) fn form(&self, at: usize) -> Option<&Form> {
        self.nodes[at].as_ref().map(|(_, form)| form)
    }

    pub(super) fn operator(&self, at: usize) -> Option<&Operator<W>> {
        self.get(at).map(|node| &node.operator)
    }

    pub(super) fn operator_mut(&mut self, at: usize) -> Option<&mut Operator<W>> {
        self.nodes[at].as_mut().map(|(node, _)| &mut node.operator)
    }

    /// The form of a node that computes the same in another order.
    pub(super) fn set_form(&mut self, at: usize, form: Form) {
        if let Some((_, own)) = &mut self.nodes[at] {
            *own = form;
        }
    }

    pub(super) fn name(&self, at: usize) -> String {
        self.get(at)
            .map(|node| node.name.clone())
            .unwrap_or_default()
    }

    /// What a node reads; nothing, if it has been taken away.
    pub(super) fn inputs(&self, at: usize) -> &[usize] {
        self.get(at).map_or(&[], |node| &node.inputs)
    }

    /// What reads a node, each once, in order.
    pub(super) fn consumers(&self, of: usize) -> Vec<usize> {
        (0..self.nodes.len())
            .filter(|&at| self.inputs(at).contains(&of))
            .collect()
    }

    /// The one node that reads this one, if one alone does, and once.
    pub(super) fn only_consumer(&self, of: usize) -> Option<usize> {
        let mut readers = (0..self.nodes.len()).flat_map(|at| {
            let times = self.inputs(at).iter().filter(|&&input| input == of);
            times.map(move |_| at)
        });
        readers.next().filter(|_| readers.next().is_none())
    }

    /// Puts a node at a new place, under its name or, if there is one of this name, a new one.
    pub(super) fn add(&mut self, mut node: Node<W>, form: Form) -> usize {
        let wanted = node.name.clone();
        let mut count = 1;
        while !self.names.insert(node.name.clone()) {
            node.name = format!("{wanted}_{count}");
            count += 1;
        }
        self.nodes.push(Some((node, form)));
        self.nodes.len() - 1
    }

    /// Takes a node away; its name is free again.
    pub(super) fn remove(&mut self, at: usize) {
        if let Some((node, _)) = self.nodes[at].take() {
            self.names.remove(&node.name);
        }
    }

    /// Lets `reader` read `new` where it read `old`.
    pub(super) fn reroute(&mut self, reader: usize, old: usize, new: usize) {
        if let Some((node, _)) = &mut self.nodes[reader] {
            for input in node.inputs.iter_mut().filter(|input| **input == old) {
                *input = new;
            }
        }
    }

    /// Lets all that reads `old` read `new`.
    pub(super) fn reroute_all(&mut self, old: usize, new: usize) {
        for reader in 0..self.nodes.len() {
            self.reroute(reader, old, new);
        }
    }

    /// The graph, its nodes in order and its shapes checked anew.
    pub(super) fn finish(self) -> Result<Graph<W>, GraphError> {
        let mut place = vec![usize::MAX; self.nodes.len()];
        let mut count = 0;
        for (at, node) in self.nodes.iter().enumerate() {
            if node.is_some() {
                place[at] = count;
                count += 1;
            }
        }
        let nodes = (self.nodes.into_iter().flatten())
            .map(|(mut node, _)| {
                for input in &mut node.inputs {
                    *input = place[*input];
                }
                node
            })
            .collect();
        Graph::new(self.name, nodes)
    }
}
