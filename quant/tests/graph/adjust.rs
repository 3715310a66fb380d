//! `adjust`: the target's order everywhere, and every output as it was.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use quant::graph::adjust::{Adjustment, Change};
use quant::graph::run::{Arithmetic, Floats, Golden};
use quant::graph::{Axis, Graph, Layout, Node, Operator, Rearrange};
use quant::prove::Random;
use quant::{QuantWeights, Rounding, Scale};
use reference::{Conv2dGeometry, Op, Tensor, WeightShape, Weights};

use crate::graph::random;

/// Codes with −128 and 127 among them.
fn codes(random: &mut Random, count: usize) -> Vec<i8> {
    (0..count)
        .map(|_| match random.below(5) {
            0 => i8::MIN,
            1 => i8::MAX,
            _ => random.below(256) as u8 as i8,
        })
        .collect()
}

fn quant_weights(random: &mut Random, shape: &[usize]) -> QuantWeights {
    let codes = codes(random, shape.iter().product());
    let scale = f64::from(1 << random.below(12));
    QuantWeights {
        weight: Tensor::new(shape, codes).unwrap(),
        bias: (random.one_in(2)).then(|| {
            (0..shape[0])
                .map(|_| random.below(20_000) as i32 - 10_000)
                .collect()
        }),
        weight_scale: Scale::new(1.0).unwrap(),
        // Ties at every second accumulator or so.
        output_scale: Scale::new(scale).unwrap(),
    }
}

fn float_weights(random: &mut Random, shape: &[usize]) -> Weights<f32> {
    Weights {
        weight: Tensor::new(shape, random.values(shape.iter().product(), 1.0)).unwrap(),
        bias: (random.one_in(2)).then(|| random.values(shape[0], 1.0)),
    }
}

/// A batch for each input.
fn batches<W, V: Copy>(
    graph: &Graph<W>,
    mut values: impl FnMut(usize) -> Vec<V>,
) -> Vec<Tensor<V>> {
    (graph.nodes().iter().zip(graph.forms()))
        .filter(|(node, _)| matches!(node.operator, Operator::Input { .. }))
        .map(|(_, form)| {
            let shape = [&[2], &form.shape[..]].concat();
            Tensor::new(&shape, values(shape.iter().product())).unwrap()
        })
        .collect()
}

/// What the outputs give, by name.
pub(crate) fn outputs<W: Rearrange, A: Arithmetic<W>>(
    graph: &Graph<W>,
    arithmetic: &A,
    inputs: &[Tensor<A::Value>],
) -> BTreeMap<String, Tensor<A::Value>> {
    let values = graph.run(arithmetic, inputs).unwrap();
    (graph.nodes().iter().zip(values))
        .filter(|(node, _)| matches!(node.operator, Operator::Output))
        .map(|(node, values)| (node.name.clone(), values))
        .collect()
}

/// The target's order, and a report that adds up.
pub(crate) fn is_adjusted<W: WeightShape + Clone + Rearrange + PartialEq + std::fmt::Debug>(
    before: &Graph<W>,
    after: &Graph<W>,
    report: &Adjustment,
) {
    assert_eq!(after.adjusted(), Ok(report.target));
    for (node, form) in after.nodes().iter().zip(after.forms()) {
        let leading = match &node.operator {
            Operator::Op(op) => Some(op),
            Operator::Fusion(layers) => Some(&layers[0].op),
            _ => None,
        };
        if let Some(Op::Conv2d { .. } | Op::MaxPool2d(_) | Op::AveragePool2d(_)) = leading {
            assert_eq!(form.layout, Some(report.target), "{}", node.name);
        }
        let earlier = before.position(&node.name);
        if let (Some(at), Operator::Input { .. } | Operator::Output) = (earlier, &node.operator) {
            assert_eq!(&before.forms()[at], form, "the caller's order stays");
        }
    }
    let transposes = |graph: &Graph<W>| {
        let nodes = graph.nodes().iter();
        nodes
            .filter(|node| matches!(node.operator, Operator::Transpose { .. }))
            .map(|node| node.name.clone())
            .collect::<Vec<_>>()
    };
    let mut kept: Vec<String> = report
        .kept
        .iter()
        .map(|kept| kept.transpose.clone())
        .collect();
    let mut found = transposes(after);
    kept.sort();
    found.sort();
    assert_eq!(kept, found);
    let (again, nothing) = after.adjust(report.target).unwrap();
    assert_eq!(nothing.changes, [], "a second time changes nothing");
    assert_eq!(&again, after);
}

#[test]
fn integers_stay_exactly_what_they_were() {
    let done = RefCell::new(BTreeMap::<&str, usize>::new());
    let mut runner = random::runner(400);
    let cases = (
        any::<u64>(),
        prop::sample::select(vec![Layout::CHW, Layout::HWC]),
    );
    runner
        .run(&cases, |(seed, target)| {
            let mut random = Random::new(seed);
            let graph = random::graph(&mut random, quant_weights);
            let inputs = batches(&graph, |count| codes(&mut random, count));
            let (adjusted, report) = graph.adjust(target).unwrap();
            is_adjusted(&graph, &adjusted, &report);
            let golden = Golden(Rounding::TiesToEven);
            prop_assert_eq!(
                outputs(&graph, &golden, &inputs),
                outputs(&adjusted, &golden, &inputs)
            );
            for change in &report.changes {
                *done.borrow_mut().entry(change.verb()).or_default() += 1;
            }
            Ok(())
        })
        .unwrap();
    let done = done.into_inner();
    for verb in [
        "inserted",
        "reordered",
        "cancelled",
        "merged",
        "shared",
        "dropped",
        "moved",
        "absorbed",
    ] {
        assert!(
            done.get(verb).is_some_and(|&count| count > 5),
            "{verb}: {done:?}"
        );
    }
}

/// Bit for bit, but for what lies behind a linear layer whose columns were stored anew: it sums
/// in another order. Of small integers sums are exact, and those are equal too.
#[test]
fn floats_stay_bit_for_bit_where_sums_keep_their_order() {
    let compared = RefCell::new([0; 2]);
    let mut runner = random::runner(300);
    let cases = (
        any::<u64>(),
        any::<bool>(),
        prop::sample::select(vec![Layout::CHW, Layout::HWC]),
    );
    runner
        .run(&cases, |(seed, whole, target)| {
            let mut random = Random::new(seed);
            let graph = random::graph(&mut random, |random, shape| {
                let weights = float_weights(random, shape);
                match whole {
                    true => Weights {
                        weight: weights.weight.map(|w| (w * 2.0).round()),
                        bias: None,
                    },
                    false => weights,
                }
            });
            let inputs = batches(&graph, |count| {
                let values = random.values(count, 3.0);
                values
                    .into_iter()
                    .map(|x| if whole { x.round() } else { x })
                    .collect()
            });
            let (adjusted, report) = graph.adjust(target).unwrap();
            is_adjusted(&graph, &adjusted, &report);
            let resummed = behind_absorbed(&adjusted, &report);
            let after = outputs(&adjusted, &Floats, &inputs);
            for (name, before) in outputs(&graph, &Floats, &inputs) {
                let behind = resummed.contains(&name);
                let averages =
                    |node: &Node<_>| matches!(node.operator, Operator::Op(Op::AveragePool2d(_)));
                // A mean of integers is none.
                let exact = whole && !graph.nodes().iter().any(averages);
                if behind && !exact {
                    continue;
                }
                compared.borrow_mut()[usize::from(behind)] += before.data().len();
                let bits = |values: &Tensor<f32>| values.map(f32::to_bits);
                prop_assert_eq!(bits(&after[&name]), bits(&before), "{}", name);
            }
            Ok(())
        })
        .unwrap();
    let compared = compared.into_inner();
    assert!(compared.iter().all(|&count| count > 100), "{compared:?}");
}

/// The nodes that read, in the end, a linear layer that has absorbed a transpose.
fn behind_absorbed<W>(graph: &Graph<W>, report: &Adjustment) -> Vec<String> {
    let absorbed = |name: &String| {
        let into =
            |change: &Change| matches!(change, Change::Absorbed { into, .. } if into == name);
        report.changes.iter().any(into)
    };
    let mut behind: Vec<bool> = Vec::new();
    for node in graph.nodes() {
        let inherited = node.inputs.iter().any(|&input| behind[input]);
        behind.push(inherited || absorbed(&node.name));
    }
    (graph.nodes().iter().zip(behind))
        .filter(|&(_, behind)| behind)
        .map(|(node, _)| node.name.clone())
        .collect()
}

/// A chain of nodes, each of which reads the one before.
pub(crate) fn chain<W: WeightShape + Clone>(
    input: ([usize; 3], Layout),
    operators: Vec<(&str, Operator<W>)>,
) -> Graph<W> {
    let (shape, layout) = input;
    let mut nodes = vec![Node::new("in", Operator::Input { shape, layout }, &[])];
    for (name, operator) in operators {
        let last = nodes.len() - 1;
        nodes.push(Node::new(name, operator, &[last]));
    }
    let last = nodes.len() - 1;
    nodes.push(Node::new("out", Operator::Output, &[last]));
    Graph::new("chain", nodes).unwrap()
}

fn conv(shape: &[usize]) -> Operator<Weights<f32>> {
    Operator::Op(Op::Conv2d {
        geometry: Conv2dGeometry::default(),
        weights: counted(shape),
    })
}

/// 0, 1, 2, …
fn counted(shape: &[usize]) -> Weights<f32> {
    let count: usize = shape.iter().product();
    Weights {
        weight: Tensor::new(shape, (0..count).map(|i| i as f32).collect()).unwrap(),
        bias: None,
    }
}

fn weight<'a>(graph: &'a Graph<Weights<f32>>, name: &str) -> &'a Tensor<f32> {
    let node = &graph.nodes()[graph.position(name).unwrap()];
    &node.operator.weights().unwrap().weight
}

fn names<W>(graph: &Graph<W>) -> Vec<&str> {
    graph
        .nodes()
        .iter()
        .map(|node| node.name.as_str())
        .collect()
}

/// A model of TFLite: one transpose at its input, none elsewhere; weights by hand.
#[test]
fn a_channels_last_model_keeps_one_transpose() {
    let linear = Operator::Op(Op::Linear {
        weights: counted(&[1, 8]),
    });
    let graph = chain(
        ([2, 3, 2], Layout::HWC),
        vec![
            ("conv", conv(&[2, 1, 2, 2])),
            ("relu", Operator::Op(Op::Relu)),
            ("flat", Operator::Op(Op::Flatten)),
            ("fc", linear),
        ],
    );
    let (adjusted, report) = graph.adjust(Layout::CHW).unwrap();
    assert_eq!(
        names(&adjusted),
        ["in", "conv_trans_in", "conv", "relu", "flat", "fc", "out"]
    );
    // [o, h, w, c] of 0 to 7 as [o, c, h, w].
    let kernel = weight(&adjusted, "conv");
    assert_eq!(kernel.shape(), [2, 2, 1, 2]);
    assert_eq!(kernel.data(), [0., 2., 1., 3., 4., 6., 5., 7.]);
    // The map is 2 rows, 2 columns, 2 channels.
    assert_eq!(
        weight(&adjusted, "fc").data(),
        [0., 2., 4., 6., 1., 3., 5., 7.]
    );
    assert_eq!(report.kept.len(), 1);
    assert_eq!(
        report.kept[0].to_string(),
        "conv_trans_in: hwc to chw, from in to conv"
    );
}

#[test]
fn orders_that_do_not_meet_are_merged_and_not_cancelled() {
    let cwh = Layout::new([Axis::C, Axis::W, Axis::H]).unwrap();
    let to = |to| Operator::<Weights<f32>>::Transpose { to };
    let of = |second| {
        let operators = vec![("a", to(Layout::HWC)), ("b", to(second))];
        let graph = chain(([2, 3, 4], Layout::CHW), operators);
        let (adjusted, report) = graph.adjust(Layout::CHW).unwrap();
        let verbs: Vec<&str> = report.changes.iter().map(Change::verb).collect();
        (names(&adjusted).join(" "), verbs.join(" "))
    };
    let answer = |names: &str, verbs: &str| (names.to_owned(), verbs.to_owned());
    assert_eq!(of(cwh), answer("in b out", "merged"));
    assert_eq!(of(Layout::CHW), answer("in out", "cancelled"));
    assert_eq!(of(Layout::HWC), answer("in a out", "dropped"));
}

/// Two branches that begin in one order share what makes it.
#[test]
fn a_transpose_that_is_read_twice_serves_both() {
    let transpose = Operator::<Weights<f32>>::Transpose { to: Layout::HWC };
    let (shape, layout) = ([2, 3, 3], Layout::CHW);
    let nodes = vec![
        Node::new("in", Operator::Input { shape, layout }, &[]),
        Node::new("conv", conv(&[2, 2, 2, 2]), &[0]),
        Node::new("a", transpose.clone(), &[1]),
        Node::new("b", transpose, &[1]),
        Node::new("left", Operator::Op(Op::Relu), &[2]),
        Node::new("right", Operator::Op(Op::Relu), &[3]),
        Node::new("both", Operator::Concat, &[4, 5]),
        Node::new("out", Operator::Output, &[6]),
    ];
    let graph = Graph::new("branches", nodes).unwrap();
    let (adjusted, report) = graph.adjust(Layout::CHW).unwrap();
    assert_eq!(report.kept.len(), 1, "{report:?}");
    assert_eq!(report.changes.len(), 1);
    assert_eq!(report.changes[0].to_string(), "b: a does it");
    let input = Tensor::new(&[1, 2, 3, 3], (0..18).map(|i| i as f32).collect()).unwrap();
    assert_eq!(
        outputs(&adjusted, &Floats, std::slice::from_ref(&input)),
        outputs(&graph, &Floats, &[input])
    );
}

/// What a second look finds: two transposes become one that another already is.
#[test]
fn a_merged_transpose_is_shared() {
    let hcw = Layout::new([Axis::H, Axis::C, Axis::W]).unwrap();
    let transpose = |name, to, input: usize| {
        Node::new(name, Operator::<Weights<f32>>::Transpose { to }, &[input])
    };
    let (shape, layout) = ([2, 3, 4], Layout::CHW);
    let nodes = vec![
        Node::new("in", Operator::Input { shape, layout }, &[]),
        transpose("a", hcw, 0),
        transpose("b", Layout::HWC, 0),
        transpose("c", hcw, 2),
        Node::new("one", Operator::Output, &[1]),
        Node::new("other", Operator::Output, &[3]),
    ];
    let graph = Graph::new("twice", nodes).unwrap();
    let (adjusted, report) = graph.adjust(Layout::CHW).unwrap();
    let verbs: Vec<&str> = report.changes.iter().map(Change::verb).collect();
    assert_eq!(verbs, ["merged", "shared"]);
    assert_eq!(names(&adjusted), ["in", "a", "one", "other"]);
}

/// A concat of a map that a transpose led to with one that none did, before a convolution: in
/// the target's order both convolutions and the concat share one transpose of the input.
#[test]
fn a_concat_turns_where_this_saves_transposes() {
    let (shape, layout) = ([3, 3, 2], Layout::HWC);
    let nodes = vec![
        Node::new("in", Operator::Input { shape, layout }, &[]),
        Node::new("conv", conv(&[2, 1, 1, 2]), &[0]),
        Node::new("both", Operator::Concat, &[1, 0]),
        Node::new("last", conv(&[1, 2, 2, 4]), &[2]),
        Node::new(
            "fc",
            Operator::Op(Op::Linear {
                weights: counted(&[1, 4]),
            }),
            &[3],
        ),
        Node::new("out", Operator::Output, &[4]),
    ];
    let graph = Graph::new("skip", nodes).unwrap();
    let (adjusted, report) = graph.adjust(Layout::CHW).unwrap();
    let kept: Vec<String> = report.kept.iter().map(|kept| kept.to_string()).collect();
    assert_eq!(kept, ["conv_trans_in: hwc to chw, from in to conv, both"]);
    let input = Tensor::new(&[1, 3, 3, 2], (0..18).map(|i| i as f32).collect()).unwrap();
    assert_eq!(
        outputs(&adjusted, &Floats, std::slice::from_ref(&input)),
        outputs(&graph, &Floats, &[input])
    );
}

/// The order of an output is the caller's: what leads to it is not moved for nothing.
#[test]
fn a_relu_between_caller_and_caller_stays_as_it_is() {
    let graph = chain::<Weights<f32>>(
        ([2, 3, 4], Layout::HWC),
        vec![("relu", Operator::Op(Op::Relu))],
    );
    let (adjusted, report) = graph.adjust(Layout::CHW).unwrap();
    assert_eq!((report.changes, report.kept), (vec![], vec![]));
    assert_eq!(adjusted.nodes(), graph.nodes());
}

/// A map of one row and one column is the same in any order.
#[test]
fn a_transpose_that_moves_no_value_says_so() {
    let moves = |shape, layout| {
        let graph = chain(
            (shape, layout),
            vec![("t", Operator::<Weights<f32>>::Transpose { to: Layout::HWC })],
        );
        graph.adjust(Layout::CHW).unwrap().1.kept[0].moves_values
    };
    assert!(!moves([7, 1, 1], Layout::CHW));
    assert!(!moves([1, 5, 4], Layout::CHW));
    assert!(moves([2, 1, 4], Layout::CHW));
    assert!(moves([2, 4, 1], Layout::CHW));
    let whc = Layout::new([Axis::W, Axis::H, Axis::C]).unwrap();
    assert!(!moves([1, 5, 4], whc));
    assert!(moves([5, 2, 1], whc));
}

/// An inserted transpose takes a name that is free.
#[test]
fn a_name_that_is_taken_is_not_taken_twice() {
    let graph = chain(
        ([2, 2, 2], Layout::HWC),
        vec![
            ("conv_trans_in", Operator::Op(Op::Relu)),
            ("conv_trans_in_1", Operator::Op(Op::Relu)),
            ("conv", conv(&[1, 1, 1, 2])),
        ],
    );
    let (adjusted, _) = graph.adjust(Layout::CHW).unwrap();
    assert_eq!(
        names(&adjusted),
        [
            "in",
            "conv_trans_in",
            "conv_trans_in_1",
            "conv_trans_in_2",
            "conv",
            "conv_trans_out",
            "out"
        ]
    );
}
