//! What does not fit together, with its place.

use std::collections::{HashMap, HashSet};

use verify::export::Artifact;
use verify::export::nntool::header::{NodeScale, parse as parse_header};

use super::said::{Argument, Kernel, Said, run};
use crate::exports::nntool::text;
use crate::exports::subject::Subject;

/// All that does not fit together in the program of these files, and with them.
pub(super) fn faults(subject: &Subject, files: &[Artifact]) -> Vec<String> {
    let said = match run(files) {
        Ok(said) => said,
        Err(error) => return vec![error],
    };
    let mut said = Said::new(&said);
    let mut faults = std::mem::take(&mut said.faults);
    let input = subject.model.origin.float.input().shape.to_vec();
    let mut graph = Graph {
        said: &said,
        files: files
            .iter()
            .map(|file| (&*file.path, &*file.bytes))
            .collect(),
        header: parse_header(text(files, "model.h")).unwrap(),
        shapes: HashMap::from([("input_1", input)]),
        bound: HashSet::new(),
    };
    let mut left: HashSet<&str> = said.kernels.keys().copied().collect();
    for (node, bindings) in &said.nodes {
        let found = match said.kernels.get(node) {
            Some(kernel) if left.remove(node) => graph.of_node(node, kernel, bindings),
            _ => vec!["is no kernel, or a second one".into()],
        };
        faults.extend(found.iter().map(|what| format!("{node}: {what}")));
    }
    faults.extend(left.iter().map(|name| format!("{name} is in no node")));

    let last = subject.model.origin.layers.last().unwrap().sq8.as_ref();
    let classes = last.unwrap().bias.len();
    match graph.shapes.get("output_1").map(Vec::as_slice) {
        Some(&[there]) if there == classes => {}
        other => faults.push(format!("output_1 is {other:?}, expected [{classes}]")),
    }
    for (name, argument) in &said.arguments {
        faults.extend(graph.of_argument(name, argument));
    }
    for file in graph.files.keys().filter(|file| file.ends_with(".tensor")) {
        if !said.arguments.values().any(|of| of.file == *file) {
            faults.push(format!("{file} is no constant of the graph"));
        }
    }
    faults.extend(graph.of_comments(text(files, "model.c")));
    faults
}

/// What a program says, and what it is held against.
struct Graph<'a> {
    said: &'a Said<'a>,
    files: HashMap<&'a str, &'a [u8]>,
    header: Vec<NodeScale>,
    /// Of all that has been written so far.
    shapes: HashMap<&'a str, Vec<usize>>,
    /// How, and what.
    bound: HashSet<(&'a str, &'a str)>,
}

impl<'a> Graph<'a> {
    fn of_node(&mut self, node: &str, kernel: &Kernel, bindings: &[&'a str]) -> Vec<String> {
        let [reads, filter, writes] = kernel.shapes();
        let step = node.split_once('_').map_or("", |(step, _)| step);
        let infos = self.files.get(&*format!("tensors/{step}_Infos.tensor"));
        let infos = *infos.unwrap_or(&&[][..]);
        let outputs = vec![writes[0]];
        // In the order of the kernel's parameters: how a tensor's name ends, its type and shape.
        let expected = [
            ("reads", "", "signed char", reads),
            ("reads", "_weights", "signed char", filter),
            ("reads", "_biases", "signed int", outputs.clone()),
            ("writes", "", "signed char", writes),
            ("reads", "_Mul_scale", "unsigned char", outputs.clone()),
            ("reads", "_Mul_shift", "signed char", outputs),
            ("reads", "_Infos", "signed char", vec![infos.len()]),
        ];
        let mut faults = Vec::new();
        if bindings.len() != expected.len() {
            faults.push(format!("has {} bindings", bindings.len()));
        }
        for (binding, (does, ending, of, shape)) in bindings.iter().zip(expected) {
            let (direction, name) = binding.split_once(' ').unwrap();
            let Some(argument) = self.said.arguments.get(name) else {
                faults.push(format!("binds {name}, which is not declared"));
                continue;
            };
            self.bound.insert((direction, name));
            if direction != does {
                faults.push(format!("{direction} {name}"));
            }
            if argument.of != of {
                faults.push(format!("{name} is {}, expected {of}", argument.of));
            }
            let found = match (argument.scope == "constant", ending) {
                (true, "") => Some(format!("{name} is a constant")),
                (true, ending) => {
                    if !is_of(node, step, name, ending) {
                        faults.push(format!("{name} is not the node's {ending}"));
                    }
                    self.of_file(argument, &shape)
                }
                (false, "") => self.of_codes(does, name, shape),
                (false, _) => Some(format!("{name} is a {}", argument.scope)),
            };
            faults.extend(found);
        }
        faults.extend(self.of_activation(node, kernel, infos));
        if kernel.sizes[..2] != [4, 1] {
            let sizes = &kernel.sizes[..2];
            faults.push(format!("has biases and multipliers of {sizes:?} bytes"));
        }
        faults
    }

    fn of_file(&self, argument: &Argument, shape: &[usize]) -> Option<String> {
        let file = argument.file;
        let bytes = shape.iter().product::<usize>() * argument.bits / 8;
        match self.files.get(file).map(|there| there.len()) {
            None => Some(format!("there is no {file}")),
            Some(there) => (there != bytes)
                .then(|| format!("{file} has {there} bytes, expected {bytes}: {shape:?}")),
        }
    }

    /// Of what a node leaves for another.
    fn of_codes(&mut self, does: &str, name: &'a str, shape: Vec<usize>) -> Option<String> {
        if does == "writes" {
            let before = self.shapes.insert(name, shape);
            return before.map(|_| format!("{name} is written twice"));
        }
        let Some(there) = self.shapes.get(name) else {
            return Some(format!("reads {name} before it is written"));
        };
        // A linear layer reads a map as the row in which it lies.
        let in_a_row = [there.iter().product::<usize>()];
        (*there != shape && in_a_row[..] != shape[..])
            .then(|| format!("reads {shape:?} of {name}, which is {there:?}"))
    }

    /// Infos and header, made elsewhere, say which activation it is.
    fn of_activation(&self, node: &str, kernel: &Kernel, infos: &[u8]) -> Option<String> {
        let mut nodes = self.header.iter();
        let of = nodes.find(|of| of.node.ends_with(node)).unwrap();
        let expected = match (infos.first(), of.zero_point) {
            (Some(1), Some(0)) => "relu",
            (Some(1), _) => "relum",
            _ => "none",
        };
        let activation = kernel.words[2];
        (activation != expected)
            .then(|| format!("has the activation {activation}, expected {expected}"))
    }

    fn of_argument(&self, name: &str, argument: &Argument) -> Vec<String> {
        let Argument {
            scope,
            direction,
            of,
            home,
            file,
            bits,
        } = *argument;
        let width = if of == "signed int" { 32 } else { 8 };
        let (uses, fits): (&[&str], bool) = match (name, scope) {
            ("input_1", _) => (&["reads"], (scope, direction, home) == ("end", "in", "L2")),
            ("output_1", _) => (
                &["writes"],
                (scope, direction, home) == ("end", "out", "L2"),
            ),
            (_, "local") => (
                &["reads", "writes"],
                (direction, home) == ("inout", "anywhere"),
            ),
            _ => (
                &["reads"],
                (scope, direction, home, bits) == ("constant", "constin", "flash", width)
                    && file == format!("tensors/{name}.tensor"),
            ),
        };
        let missing = uses
            .iter()
            .filter(|does| !self.bound.contains(&(**does, name)));
        let mut faults: Vec<String> = missing
            .map(|does| format!("no node {does} {name}"))
            .collect();
        if !fits {
            faults.push(format!(
                "{name} is {scope} {direction} {of} {home} {file} {bits}"
            ));
        }
        faults
    }

    /// Shapes that stand beside a tensor and are not its own.
    fn of_comments(&self, program: &str) -> Vec<String> {
        let lines = program.lines().filter_map(|line| {
            let (shape, tensor) = line.trim().strip_prefix("/* [")?.split_once("] */ ")?;
            let (of, name) = tensor.split_once("(\"")?;
            let (name, _) = name.split_once('"')?;
            let sizes = shape.split(", ").map(|size| size.parse::<usize>().unwrap());
            let bytes = sizes.product::<usize>() * if of == "INT32" { 4 } else { 1 };
            let there = self.files.get(&*format!("tensors/{name}.tensor"));
            (there.is_none_or(|there| there.len() != bytes))
                .then(|| format!("{name}: the comment says {bytes} bytes"))
        });
        lines.collect()
    }
}

/// Whether a tensor is called after its node: by its step, or by its filter.
fn is_of(node: &str, step: &str, name: &str, ending: &str) -> bool {
    let Some(stem) = name.strip_suffix(ending) else {
        return false;
    };
    let filter = node.strip_prefix(step).unwrap_or(node).to_lowercase();
    stem == step || filter.starts_with(&format!("_{stem}"))
}
