//! Random graphs: branches, concats, every order of axes, vectors at the end.

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use quant::graph::{Axis, Graph, Layout, Node, Operator};
use quant::prove::Random;
use reference::ops::AveragePoolGeometry;
use reference::{Conv2dGeometry, Op, PoolGeometry, WeightShape};

/// The same cases in every run, so that what they cover can be held to.
pub(crate) fn runner(cases: u32) -> TestRunner {
    let config = Config {
        failure_persistence: None,
        ..Config::with_cases(cases)
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// A tensor that later nodes may read.
#[derive(Clone, Copy)]
struct Live {
    at: usize,
    /// Channels, rows, columns, whatever the order; features, 1, 1 of a vector.
    chw: [usize; 3],
    /// `None` of a vector.
    layout: Option<Layout>,
}

struct Builder<'a, W, F> {
    random: &'a mut Random,
    /// Makes the parameters of a weight of this shape.
    weights: F,
    nodes: Vec<Node<W>>,
    live: Vec<Live>,
}

/// A graph of up to a dozen operators; the nodes are given in a shuffled order.
pub(crate) fn graph<W: WeightShape + Clone>(
    random: &mut Random,
    weights: impl FnMut(&mut Random, &[usize]) -> W,
) -> Graph<W> {
    let mut builder = Builder {
        random,
        weights,
        nodes: Vec::new(),
        live: Vec::new(),
    };
    builder.input();
    for _ in 0..3 + builder.random.below(7) {
        builder.step();
    }
    builder.outputs();
    let (nodes, random) = (builder.nodes, builder.random);
    Graph::new("random", shuffled(nodes, random)).unwrap()
}

impl<W: WeightShape + Clone, F: FnMut(&mut Random, &[usize]) -> W> Builder<'_, W, F> {
    fn push(&mut self, operator: Operator<W>, inputs: &[usize], made: Live) {
        let name = format!("{}_{}", operator.kind().replace(' ', "_"), self.nodes.len());
        self.nodes.push(Node::new(name, operator, inputs));
        let at = self.nodes.len() - 1;
        self.live.push(Live { at, ..made });
    }

    fn input(&mut self) {
        let layout = any_layout(self.random);
        let chw = [1, 4, 4].map(|least| least + self.random.below(4));
        let shape = Layout::CHW.shape_to(layout, chw);
        let made = Live {
            at: 0,
            chw,
            layout: Some(layout),
        };
        self.push(Operator::Input { shape, layout }, &[], made);
    }

    /// The last tensor twice in three times, else any.
    fn source(&mut self) -> Live {
        let last = self.live.len() - 1;
        match self.random.one_in(3) {
            true => self.random.one_of(&self.live),
            false => self.live[last],
        }
    }

    fn step(&mut self) {
        let from = self.source();
        let Some(layout) = from.layout else {
            return match self.random.one_in(2) {
                true => self.push(Operator::Op(Op::Relu), &[from.at], from),
                false => self.linear(from),
            };
        };
        match self.random.below(16) {
            0..4 => self.convolution(from, layout),
            4..8 => self.push(Operator::Op(Op::Relu), &[from.at], from),
            8..11 => self.pool(from),
            11..13 => {
                let to = any_layout(self.random);
                let layout = Some(to);
                let made = Live { layout, ..from };
                self.push(Operator::Transpose { to }, &[from.at], made);
            }
            13..15 => self.concat(from),
            _ => self.flatten(from),
        }
    }

    fn convolution(&mut self, from: Live, layout: Layout) {
        let [c, h, w] = from.chw;
        let kernel = [h, w].map(|size| 1 + self.random.below(size.min(3)));
        let geometry = Conv2dGeometry {
            stride: [0; 2].map(|_: usize| 1 + self.random.below(2)),
            padding: [0; 2].map(|_: usize| self.random.below(2)),
            ..Conv2dGeometry::default()
        };
        let outputs = 1 + self.random.below(4);
        let [_, o, rows, columns] = geometry
            .output_shape(&[1, c, h, w], &[outputs, c, kernel[0], kernel[1]])
            .unwrap();
        let shape = Layout::CHW.shape_to(layout, [c, kernel[0], kernel[1]]);
        let weights = (self.weights)(self.random, &[o, shape[0], shape[1], shape[2]]);
        let made = Live {
            chw: [o, rows, columns],
            ..from
        };
        let op = Op::Conv2d { geometry, weights };
        self.push(Operator::Op(op), &[from.at], made);
    }

    fn pool(&mut self, from: Live) {
        let [c, h, w] = from.chw;
        let window = PoolGeometry {
            kernel: [h, w].map(|size| 1 + self.random.below(size.min(3))),
            stride: [0; 2].map(|_: usize| 1 + self.random.below(2)),
            padding: [0, 0],
        };
        let [_, _, rows, columns] = window.output_shape(&[1, c, h, w]).unwrap();
        let op = match self.random.one_in(3) {
            true => Op::AveragePool2d(AveragePoolGeometry {
                window,
                count_include_pad: true,
            }),
            false => Op::MaxPool2d(window),
        };
        let made = Live {
            chw: [c, rows, columns],
            ..from
        };
        self.push(Operator::Op(op), &[from.at], made);
    }

    /// With itself, if nothing else fits.
    fn concat(&mut self, from: Live) {
        let fits = |other: &&Live| other.layout == from.layout && other.chw[1..] == from.chw[1..];
        let all: Vec<Live> = self.live.iter().filter(fits).copied().collect();
        let other = self.random.one_of(&all);
        let [c, h, w] = from.chw;
        let made = Live {
            chw: [c + other.chw[0], h, w],
            ..from
        };
        self.push(Operator::Concat, &[from.at, other.at], made);
    }

    fn flatten(&mut self, from: Live) {
        let made = Live {
            chw: [from.chw.iter().product(), 1, 1],
            layout: None,
            ..from
        };
        self.push(Operator::Op(Op::Flatten), &[from.at], made);
    }

    /// Of a vector, or of a map as it is stored.
    fn linear(&mut self, from: Live) {
        let features = from.chw.iter().product();
        let outputs = 1 + self.random.below(5);
        let weights = (self.weights)(self.random, &[outputs, features]);
        let made = Live {
            chw: [outputs, 1, 1],
            layout: None,
            ..from
        };
        self.push(Operator::Op(Op::Linear { weights }), &[from.at], made);
    }

    /// All that nothing reads goes out: maps as they are, or through a linear layer.
    fn outputs(&mut self) {
        for at in 0..self.live.len() {
            let from = self.live[at];
            if self.nodes.iter().any(|node| node.inputs.contains(&from.at)) {
                continue;
            }
            let mut last = from;
            if from.layout.is_some() && !self.random.one_in(3) {
                if !self.random.one_in(3) {
                    self.flatten(from);
                    last = self.live[self.live.len() - 1];
                }
                self.linear(last);
                last = self.live[self.live.len() - 1];
            }
            self.push(Operator::Output, &[last.at], last);
        }
    }
}

fn any_layout(random: &mut Random) -> Layout {
    let other = Layout::new([Axis::W, Axis::C, Axis::H]).unwrap();
    random.one_of(&[Layout::CHW, Layout::CHW, Layout::HWC, Layout::HWC, other])
}

fn shuffled<W>(nodes: Vec<Node<W>>, random: &mut Random) -> Vec<Node<W>> {
    let mut place: Vec<usize> = (0..nodes.len()).collect();
    for last in (1..place.len()).rev() {
        place.swap(last, random.below(last + 1));
    }
    let mut placed: Vec<(usize, Node<W>)> = (nodes.into_iter().zip(&place))
        .map(|(mut node, &at)| {
            node.inputs = node.inputs.iter().map(|&input| place[input]).collect();
            (at, node)
        })
        .collect();
    placed.sort_by_key(|&(at, _)| at);
    placed.into_iter().map(|(_, node)| node).collect()
}
