//! `fusions --scale8`: what is fused, what is not and why, and every output as it was.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use quant::Scale;
use quant::graph::fusions::{Caution, Fused};
use quant::graph::run::{Arithmetic, Floats};
use quant::graph::sq8::Sq8;
use quant::graph::{Graph, Layout, Node, Operator};
use quant::prove::Random;
use quant::sq8::{Sq8Params, Sq8Scale, Sq8Weights};
use reference::ops::{AveragePoolGeometry, conv2d_sums, linear_sums};
use reference::{Conv2dGeometry, Layer, Op, PoolGeometry, ShapeError, Tensor, Weights};

use crate::graph::adjust::{chain, is_adjusted, outputs};
use crate::graph::random;

/// The device, with a count of what it met.
struct Counting {
    device: Sq8,
    met: RefCell<BTreeMap<&'static str, usize>>,
}

impl Counting {
    fn count(&self, what: &'static str, more: usize) {
        *self.met.borrow_mut().entry(what).or_default() += more;
    }

    /// Accumulators that scale to exactly half a step.
    fn ties(&self, op: &Op<Sq8Weights>, input: &Tensor<i8>) {
        let (weights, acc) = match op {
            Op::Conv2d { geometry, weights } => {
                let bias = Some(&weights.bias[..]);
                (weights, conv2d_sums(input, &weights.codes, bias, geometry))
            }
            Op::Linear { weights } => {
                let bias = Some(&weights.bias[..]);
                (weights, linear_sums(input, &weights.codes, bias))
            }
            _ => return,
        };
        let ties = acc.unwrap().map_along(1, |channel, acc| {
            let Sq8Scale { scale, shift } = weights.scales[channel];
            let rest = (i64::from(acc) * i64::from(scale)).rem_euclid(1 << shift);
            shift > 0 && rest == 1 << (shift - 1)
        });
        self.count("tie", ties.data().iter().filter(|&&tie| tie).count());
    }
}

impl Arithmetic<Sq8Weights> for Counting {
    type Value = i8;

    fn apply(
        &self,
        name: &str,
        op: &Op<Sq8Weights>,
        input: &Tensor<i8>,
    ) -> Result<Tensor<i8>, ShapeError> {
        self.ties(op, input);
        let codes = self.device.apply(name, op, input)?;
        for (what, code) in [("-128", i8::MIN), ("127", i8::MAX)] {
            self.count(what, codes.data().iter().filter(|&&c| c == code).count());
        }
        Ok(codes)
    }

    fn fused(
        &self,
        layers: &[Layer<Sq8Weights>],
        input: &Tensor<i8>,
    ) -> Result<Tensor<i8>, ShapeError> {
        self.count("fusion", 1);
        self.device.fused(layers, input)
    }
}

fn code(random: &mut Random) -> i8 {
    match random.below(5) {
        0 => i8::MIN,
        1 => i8::MAX,
        _ => random.below(256) as u8 as i8,
    }
}

/// Large weights with large shifts, which clip, or small ones with small shifts, which tie.
fn sq8_weights(random: &mut Random, shape: &[usize]) -> Sq8Weights {
    let small = random.one_in(2);
    let codes = (0..shape.iter().product()).map(|_| match small {
        true => random.below(3) as i8 - 1,
        false => code(random),
    });
    let codes = codes.collect();
    let one = Scale::new(1.0).unwrap();
    let same = Sq8Params::new(1.0, 0).unwrap();
    let channels = 0..shape[0];
    Sq8Weights {
        codes: Tensor::new(shape, codes).unwrap(),
        weight_scales: vec![one; shape[0]],
        bias_codes: vec![0; shape[0]],
        bias: (channels.clone())
            .map(|_| random.below(4001) as i32 - 2000)
            .collect(),
        scales: channels
            .map(|_| Sq8Scale {
                scale: (2 * random.below(if small { 3 } else { 128 }) + 1) as u8,
                shift: if small {
                    random.below(4)
                } else {
                    8 + random.below(10)
                } as u32,
            })
            .collect(),
        input: same,
        output: same,
        relu: false,
    }
}

#[test]
fn a_fused_graph_gives_the_same_codes() {
    let met = RefCell::new(BTreeMap::new());
    let kernels = RefCell::new(BTreeMap::<String, usize>::new());
    let mut runner = random::runner(1500);
    let cases = (
        any::<u64>(),
        prop::sample::select(vec![-128, 0, 5]),
        any::<bool>(),
    );
    runner
        .run(&cases, |(seed, zero_point, adjust)| {
            let mut random = Random::new(seed);
            let mut graph = random::graph(&mut random, sq8_weights);
            if adjust {
                graph = graph.adjust(Layout::CHW).unwrap().0;
            }
            let (fused, report) = graph.fuse_scale8().unwrap();
            prop_assert_eq!(fused.adjusted().is_ok(), adjust);
            let form = &graph.forms()[0];
            let shape = [&[2], &form.shape[..]].concat();
            let codes = (0..shape.iter().product()).map(|_| code(&mut random));
            let input = [Tensor::new(&shape, codes.collect()).unwrap()];
            let device = Counting {
                device: Sq8 { zero_point },
                met: RefCell::new(met.take()),
            };
            let expected = outputs(&graph, &device, &input);
            prop_assert_eq!(&outputs(&fused, &device, &input), &expected);
            // A rule may ask for another adjust: kernels turn as their layers do.
            let (turned, report_of_turned) = fused.adjust(Layout::HWC).unwrap();
            is_adjusted(&fused, &turned, &report_of_turned);
            prop_assert_eq!(&outputs(&turned, &device, &input), &expected);
            prop_assert!(is_complete(&graph, &fused, &report.fused));
            prop_assert_eq!(
                report.left.len(),
                fused.nodes().iter().filter(|node| is_left(node)).count()
            );
            met.replace(device.met.into_inner());
            for node in fused.nodes() {
                if let Operator::Fusion(layers) = &node.operator {
                    let kinds: Vec<&str> = layers.iter().map(|layer| kind(&layer.op)).collect();
                    *kernels.borrow_mut().entry(kinds.join("+")).or_default() += 1;
                }
            }
            Ok(())
        })
        .unwrap();
    let (met, kernels) = (met.into_inner(), kernels.into_inner());
    for what in ["tie", "-128", "127", "fusion"] {
        assert!(met.get(what).is_some_and(|&count| count > 100), "{met:?}");
    }
    let all = [
        "conv+act",
        "conv+max",
        "conv+avg",
        "conv+max+act",
        "conv+avg+act",
        "linear+act",
    ];
    for kernel in all {
        assert!(
            kernels.get(kernel).is_some_and(|&count| count > 3),
            "{kernels:?}"
        );
    }
}

fn kind<W>(op: &Op<W>) -> &'static str {
    match op {
        Op::Conv2d { .. } => "conv",
        Op::Linear { .. } => "linear",
        Op::Relu => "act",
        Op::MaxPool2d(_) => "max",
        Op::AveragePool2d(_) => "avg",
        Op::Flatten | Op::LogSoftmax => "other",
    }
}

fn is_left<W>(node: &Node<W>) -> bool {
    !matches!(
        node.operator,
        Operator::Input { .. } | Operator::Output | Operator::Fusion(_)
    )
}

/// No filter is lost, and each fusion is under the name of its own.
fn is_complete<W>(before: &Graph<W>, after: &Graph<W>, fused: &[Fused]) -> bool {
    let filters = |graph: &Graph<W>| {
        let nodes = graph.nodes().iter();
        nodes
            .filter(|node| node.operator.weights().is_some())
            .count()
    };
    filters(before) == filters(after)
        && fused.iter().all(|fused| {
            after.position(&fused.into).is_some()
                && fused.members.len() > 1
                && (fused.members.iter()).all(|member| after.position(member).is_none())
        })
}

#[test]
fn floats_stay_what_they_were() {
    let fusions = RefCell::new(0);
    let mut runner = random::runner(400);
    runner
        .run(&any::<u64>(), |seed| {
            let mut random = Random::new(seed);
            let graph = random::graph(&mut random, |random, shape| Weights {
                weight: Tensor::new(shape, random.values(shape.iter().product(), 1.0)).unwrap(),
                bias: None,
            });
            let (fused, report) = graph.fuse_scale8().unwrap();
            *fusions.borrow_mut() += report.fused.len();
            let shape = [&[2], &graph.forms()[0].shape[..]].concat();
            let values = random.values(shape.iter().product(), 1.0);
            let input = [Tensor::new(&shape, values).unwrap()];
            prop_assert_eq!(
                outputs(&graph, &Floats, &input),
                outputs(&fused, &Floats, &input)
            );
            Ok(())
        })
        .unwrap();
    assert!(fusions.into_inner() > 100);
}

type Nodes = Vec<(&'static str, Operator<Weights<f32>>)>;

fn conv() -> Operator<Weights<f32>> {
    conv_to(1)
}

fn conv_to(channels: usize) -> Operator<Weights<f32>> {
    Operator::Op(Op::Conv2d {
        geometry: Conv2dGeometry::default(),
        weights: Weights {
            weight: Tensor::full(&[channels, 1, 1, 1], 1.0).unwrap(),
            bias: None,
        },
    })
}

fn linear(inputs: usize) -> Operator<Weights<f32>> {
    Operator::Op(Op::Linear {
        weights: Weights {
            weight: Tensor::full(&[2, inputs], 1.0).unwrap(),
            bias: None,
        },
    })
}

fn relu() -> Operator<Weights<f32>> {
    Operator::Op(Op::Relu)
}

const WINDOW: PoolGeometry = PoolGeometry {
    kernel: [2, 2],
    stride: [2, 2],
    padding: [0, 0],
};

fn max_pool() -> Operator<Weights<f32>> {
    Operator::Op(Op::MaxPool2d(WINDOW))
}

fn average_pool() -> Operator<Weights<f32>> {
    Operator::Op(Op::AveragePool2d(AveragePoolGeometry {
        window: WINDOW,
        count_include_pad: true,
    }))
}

/// What is fused, and what is left, in one line.
fn told(graph: &Graph<Weights<f32>>) -> String {
    let (fused, report) = graph.fuse_scale8().unwrap();
    let input = Tensor::new(
        &[1, 1, 8, 8],
        (0..64).map(|i| ((i * 37) % 64) as f32 - 32.0).collect(),
    );
    let input = [input.unwrap()];
    assert_eq!(
        outputs(graph, &Floats, &input),
        outputs(&fused, &Floats, &input)
    );
    let kernels = report.fused.iter().map(Fused::to_string);
    let left = (report.left.iter()).map(|left| format!("{}: {}", left.node, left.reason));
    kernels.chain(left).collect::<Vec<_>>().join("; ")
}

fn of(nodes: Nodes) -> String {
    told(&chain(([1, 8, 8], Layout::CHW), nodes))
}

#[test]
fn every_sequence_is_fused_or_told_why_not() {
    let flatten = || Operator::Op(Op::Flatten);
    let hwc = || Operator::Transpose { to: Layout::HWC };
    let sequences = [
        vec![("conv", conv())],
        vec![("conv", conv()), ("relu", relu())],
        vec![("conv", conv()), ("max", max_pool())],
        vec![("conv", conv()), ("mean", average_pool())],
        vec![("conv", conv()), ("max", max_pool()), ("relu", relu())],
        vec![("conv", conv()), ("mean", average_pool()), ("relu", relu())],
        vec![("conv", conv()), ("relu", relu()), ("max", max_pool())],
        vec![("conv", conv()), ("relu", relu()), ("mean", average_pool())],
        vec![("conv", conv()), ("relu", relu()), ("again", relu())],
        vec![("conv", conv()), ("max", max_pool()), ("again", max_pool())],
        vec![
            ("conv", conv()),
            ("max", max_pool()),
            ("mean", average_pool()),
        ],
        vec![
            ("conv", conv()),
            ("max", max_pool()),
            ("relu", relu()),
            ("again", max_pool()),
        ],
        vec![
            ("conv", conv()),
            ("relu", relu()),
            ("again", relu()),
            ("max", max_pool()),
        ],
        vec![("conv", conv()), ("next", conv()), ("relu", relu())],
        vec![("conv", conv()), ("flat", flatten()), ("relu", relu())],
        vec![
            ("conv", conv()),
            ("max", max_pool()),
            ("flat", flatten()),
            ("relu", relu()),
        ],
        vec![("conv", conv()), ("turn", hwc()), ("relu", relu())],
        vec![("conv", conv()), ("turn", hwc()), ("max", max_pool())],
        vec![
            ("conv", conv()),
            ("flat", flatten()),
            ("fc", linear(64)),
            ("relu", relu()),
        ],
        vec![("fc", linear(64)), ("relu", relu()), ("again", relu())],
        vec![
            ("fc", linear(64)),
            ("softmax", Operator::Op(Op::LogSoftmax)),
        ],
        vec![("relu", relu()), ("max", max_pool())],
        vec![("flat", flatten()), ("relu", relu()), ("fc", linear(64))],
    ];
    let lines: Vec<String> = (sequences.into_iter())
        .map(|nodes| {
            let names: Vec<&str> = nodes.iter().map(|&(name, _)| name).collect();
            format!("{:<24}{}", names.join(" "), of(nodes))
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

/// in → conv → what follows; and what else reads a node.
fn branched(follow: Nodes, also: &[usize]) -> Graph<Weights<f32>> {
    let (shape, layout) = ([1, 8, 8], Layout::CHW);
    let mut nodes = vec![
        Node::new("in", Operator::Input { shape, layout }, &[]),
        Node::new("conv", conv(), &[0]),
    ];
    for (name, operator) in follow {
        let last = nodes.len() - 1;
        nodes.push(Node::new(name, operator, &[last]));
    }
    let last = nodes.len() - 1;
    nodes.push(Node::new("out", Operator::Output, &[last]));
    for &read in also {
        let name = format!("out{read}");
        nodes.push(Node::new(name, Operator::Output, &[read]));
    }
    Graph::new("branched", nodes).unwrap()
}

#[test]
fn a_second_reader_ends_a_fusion() {
    let nodes = || vec![("max", max_pool()), ("relu", relu())];
    assert_eq!(
        told(&branched(nodes(), &[1])),
        "conv: 2 nodes read conv: a fusion has one output; max: 2 nodes read conv: a fusion has \
         one output; relu: it reads max (max pool): neither conv nor linear"
    );
    assert_eq!(
        told(&branched(nodes(), &[2])),
        "conv+max → conv_fusion; relu: 2 nodes read conv_fusion: a fusion has one output"
    );
    assert_eq!(
        told(&branched(nodes(), &[3])),
        "conv+max+relu → conv_fusion"
    );
    // A pool stays behind a ReLU that something else reads too.
    let nodes = || vec![("relu", relu()), ("max", max_pool())];
    assert_eq!(
        told(&branched(nodes(), &[2])),
        "conv+relu → conv_fusion; max: 2 nodes read conv_fusion: a fusion has one output"
    );
    assert_eq!(
        told(&branched(nodes(), &[1])),
        "conv: 2 nodes read conv: a fusion has one output; relu: 2 nodes read conv: a fusion has \
         one output; max: it reads relu (relu): neither conv nor linear"
    );
}

/// Two convolutions, each with the nodes of its branch, into a concat and what follows it.
fn concat(left: Nodes, right: Nodes, follow: Nodes) -> Graph<Weights<f32>> {
    let (shape, layout) = ([1, 8, 8], Layout::CHW);
    let mut nodes = vec![Node::new("in", Operator::Input { shape, layout }, &[])];
    let mut ends = Vec::new();
    for branch in [left, right] {
        let mut last = 0;
        for (name, operator) in branch {
            nodes.push(Node::new(name, operator, &[last]));
            last = nodes.len() - 1;
        }
        ends.push(last);
    }
    nodes.push(Node::new("both", Operator::Concat, &ends));
    for (name, operator) in follow {
        let last = nodes.len() - 1;
        nodes.push(Node::new(name, operator, &[last]));
    }
    let last = nodes.len() - 1;
    nodes.push(Node::new("out", Operator::Output, &[last]));
    Graph::new("concat", nodes).unwrap()
}

#[test]
fn pools_and_activations_move_above_a_concat_of_filters() {
    let a = || ("a", conv_to(2));
    let b = || ("b", conv_to(3));
    let behind = || vec![("relu", relu()), ("max", max_pool())];
    assert_eq!(
        told(&concat(vec![a()], vec![b()], behind())),
        "a+max_0+relu_0 → a_fusion; b+max_1+relu_1 → b_fusion; both: no rule takes it"
    );
    // A ReLU of its own before the concat: the pool passes it, the other ReLU does not.
    assert_eq!(
        told(&concat(vec![a(), ("own", relu())], vec![b()], behind())),
        "a+max_0+own → a_fusion; b+max_1 → b_fusion; both: no rule takes it; relu: it reads both \
         (concat): neither conv nor linear"
    );
    // One branch begins with no filter: nothing moves.
    assert_eq!(
        told(&concat(vec![a()], vec![], behind())),
        "a: both follows (concat): neither activation nor pool; both: no rule takes it; relu: it \
         reads both (concat): neither conv nor linear; max: it reads relu (relu): neither conv nor \
         linear"
    );
}

/// What a mean does not commute with, and where the type of a fusion's output shows.
#[test]
fn an_average_pool_takes_the_mean_of_codes_that_are_clipped() {
    let mean = Op::<Sq8Weights>::AveragePool2d(AveragePoolGeometry {
        window: WINDOW,
        count_include_pad: true,
    });
    let codes = |values: Vec<i8>| Tensor::new(&[1, 1, 2, 2], values).unwrap();
    let asymmetric = Sq8 { zero_point: -128 };
    let apply = |op: &Op<Sq8Weights>, input: &Tensor<i8>| {
        asymmetric.apply("it", op, input).unwrap().into_data()
    };
    // Halves go up; −128 and 127 are means of themselves.
    assert_eq!(apply(&mean, &codes(vec![1, 1, 0, 0])), [1]);
    assert_eq!(apply(&mean, &codes(vec![-1, -1, 0, 0])), [0]);
    assert_eq!(apply(&mean, &codes(vec![-1, -1, -1, 0])), [-1]);
    assert_eq!(apply(&mean, &codes(vec![-128; 4])), [-128]);
    assert_eq!(apply(&mean, &codes(vec![127; 4])), [127]);

    // A convolution that doubles, into codes of which −128 is 0.
    let mut weights = sq8_weights(&mut Random::new(1), &[1, 1, 1, 1]);
    weights.codes = Tensor::full(&[1, 1, 1, 1], 2).unwrap();
    (weights.bias, weights.scales) = (vec![-128], vec![Sq8Scale { scale: 1, shift: 0 }]);
    let layer = |name: &str, op| Layer {
        name: name.into(),
        op,
    };
    let layers = [
        layer(
            "conv",
            Op::Conv2d {
                geometry: Conv2dGeometry::default(),
                weights,
            },
        ),
        layer("mean", mean),
        layer("relu", Op::Relu),
    ];
    let input = codes(vec![100, -100, 100, -100]);
    // As reals 200, −200, 200 and −200: their mean is 0, which is −128; but those below 0 are
    // cut before it is taken.
    assert_eq!(apply(&layers[0].op, &input), [72, -128, 72, -128]);
    assert_eq!(asymmetric.fused(&layers, &input).unwrap().data(), [-28]);
    let graph = chain::<Weights<f32>>(
        ([1, 8, 8], Layout::CHW),
        vec![("conv", conv()), ("mean", average_pool()), ("relu", relu())],
    );
    let (_, report) = graph.fuse_scale8().unwrap();
    assert_eq!(report.fused[0].caution, Some(Caution::ActivationBehindMean));
    let graph = chain::<Weights<f32>>(
        ([1, 8, 8], Layout::CHW),
        vec![("conv", conv()), ("mean", average_pool())],
    );
    assert_eq!(graph.fuse_scale8().unwrap().1.fused[0].caution, None);
}

/// Halves go up; both ends clip; a ReLU without a pool sees what is not yet clipped.
#[test]
fn the_device_scales_by_hand() {
    let mut weights = sq8_weights(&mut Random::new(1), &[1, 1]);
    weights.codes = Tensor::full(&[1, 1], 1).unwrap();
    (weights.bias, weights.scales) = (vec![0], vec![Sq8Scale { scale: 3, shift: 1 }]);
    let op = Op::Linear { weights };
    let input = Tensor::new(&[6, 1], vec![-128, -3, -1, 1, 3, 127]).unwrap();
    let device = Sq8 { zero_point: 5 };
    let codes = device.apply("fc", &op, &input).unwrap();
    // 1.5 times each: −192, −4.5, −1.5, 1.5, 4.5, 190.5.
    assert_eq!(codes.data(), [-128, -4, -1, 2, 5, 127]);
    let layers = [("fc", op), ("relu", Op::Relu)].map(|(name, op)| Layer {
        name: name.into(),
        op,
    });
    let fused = device.fused(&layers, &input).unwrap();
    assert_eq!(fused.data(), [5, 5, 5, 5, 5, 127]);
    assert_eq!(device.apply("relu", &Op::Relu, &codes).unwrap(), fused);
}

#[test]
fn weights_that_are_no_layer_are_errors() {
    let good = sq8_weights(&mut Random::new(3), &[2, 3]);
    let input = Tensor::full(&[1, 3], 1i8).unwrap();
    let of = |weights: Sq8Weights| {
        let device = Sq8 { zero_point: 0 };
        device
            .apply("fc", &Op::Linear { weights }, &input)
            .map_err(|error| error.to_string())
    };
    assert!(of(good.clone()).is_ok());
    let mut bad = good.clone();
    bad.scales.pop();
    assert_eq!(
        of(bad).unwrap_err(),
        "scales of output channels: expected 2, got 1"
    );
    let mut bad = good.clone();
    bad.bias.push(0);
    assert_eq!(
        of(bad).unwrap_err(),
        "values of the bias: expected 2, got 3"
    );
    let mut bad = good.clone();
    let reach = bad.reach(1) - i64::from(bad.bias[1].abs());
    bad.bias[1] = i32::MAX - reach as i32;
    assert!(of(bad.clone()).is_ok(), "exactly as far as int32 goes");
    bad.bias[1] += 1;
    assert_eq!(
        of(bad).unwrap_err(),
        "geometry: the accumulators of output channel 1 can leave int32"
    );
    let device = Sq8 { zero_point: 0 };
    assert!(device.apply("it", &Op::LogSoftmax, &input).is_err());
    let padded = Op::AveragePool2d(AveragePoolGeometry {
        window: PoolGeometry {
            padding: [1, 0],
            ..WINDOW
        },
        count_include_pad: true,
    });
    let map = Tensor::full(&[1, 1, 4, 4], 1i8).unwrap();
    assert!(device.apply("it", &padded, &map).is_err());
}
