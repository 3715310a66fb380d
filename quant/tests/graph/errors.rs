//! Nodes that are no graph: each is refused, and the error says what to mend.

use quant::graph::run::Floats;
use quant::graph::{Graph, GraphError, Layout, Node, Operator};
use reference::{Conv2dGeometry, Op, PoolGeometry, Tensor, Weights};

type Nodes = Vec<Node<Weights<f32>>>;

fn input() -> Node<Weights<f32>> {
    let (shape, layout) = ([2, 3, 4], Layout::CHW);
    Node::new("in", Operator::Input { shape, layout }, &[])
}

fn relu(name: &str, input: usize) -> Node<Weights<f32>> {
    Node::new(name, Operator::Op(Op::Relu), &[input])
}

fn output(input: usize) -> Node<Weights<f32>> {
    Node::new("out", Operator::Output, &[input])
}

fn weights(shape: &[usize], bias: Option<usize>) -> Weights<f32> {
    Weights {
        weight: Tensor::full(shape, 1.0).unwrap(),
        bias: bias.map(|count| vec![0.0; count]),
    }
}

fn one(op: Op<Weights<f32>>) -> Nodes {
    vec![input(), Node::new("it", Operator::Op(op), &[0]), output(1)]
}

fn conv(shape: &[usize], bias: Option<usize>) -> Nodes {
    one(Op::Conv2d {
        geometry: Conv2dGeometry::default(),
        weights: weights(shape, bias),
    })
}

fn text(nodes: Nodes) -> String {
    Graph::new("hostile", nodes).unwrap_err().to_string()
}

#[test]
fn what_is_no_graph_is_refused() {
    let transpose = |to| Node::new("t", Operator::Transpose { to }, &[0]);
    let concat = |inputs: &[usize]| Node::new("both", Operator::Concat, inputs);
    let pool = |kernel: usize| {
        Op::MaxPool2d(PoolGeometry {
            kernel: [kernel, 1],
            stride: [1, 1],
            padding: [0, 0],
        })
    };
    let huge = Operator::Input {
        shape: [usize::MAX, 2, 2],
        layout: Layout::HWC,
    };
    let fused = |ops: Vec<Op<Weights<f32>>>| {
        let layer = |op| reference::Layer {
            name: "part".into(),
            op,
        };
        let layers = ops.into_iter().map(layer).collect();
        vec![
            input(),
            Node::new("it", Operator::Fusion(layers), &[0]),
            output(1),
        ]
    };
    let errors = [
        text(vec![]),
        text(vec![input(), relu("in", 0), output(1)]),
        text(vec![input(), relu("a", 7), output(1)]),
        text(vec![relu("a", usize::MAX), output(0)]),
        text(vec![relu("a", 0), output(0)]),
        text(vec![
            input(),
            relu("a", 3),
            relu("b", 1),
            relu("c", 2),
            output(3),
            {
                let mut other = output(0);
                other.name = "out2".into();
                other
            },
        ]),
        text(vec![input(), relu("a", 0), output(0)]),
        text(vec![input(), output(0), relu("a", 1), {
            let mut other = output(2);
            other.name = "out2".into();
            other
        }]),
        text(vec![
            input(),
            Node::new("a", Operator::Op(Op::Relu), &[]),
            concat(&[0, 1]),
            output(2),
        ]),
        text(vec![
            input(),
            Node::new("a", Operator::Op(Op::Relu), &[0, 0]),
            output(1),
        ]),
        text(vec![concat(&[]), output(0)]),
        text(vec![
            input(),
            Node::new("again", input().operator, &[0]),
            output(1),
        ]),
        text(vec![
            input(),
            transpose(Layout::HWC),
            concat(&[0, 1]),
            output(2),
        ]),
        text(conv(&[6, 3, 2, 2], None)),
        text(conv(&[6, 2, 4, 2], None)),
        text(conv(&[6, 2, 2], None)),
        text(conv(&[6, 2, 2, 2], Some(5))),
        text(conv(&[0, 2, 2, 2], None)),
        text(one(Op::Linear {
            weights: weights(&[5, 23], None),
        })),
        text(one(Op::Linear {
            weights: weights(&[5, 24], Some(4)),
        })),
        text(one(pool(4))),
        text(one(pool(0))),
        text(one(Op::LogSoftmax)),
        text({
            let mut nodes = one(Op::Flatten);
            nodes.insert(2, Node::new("p", Operator::Op(pool(1)), &[1]));
            nodes[3].inputs = vec![2];
            nodes
        }),
        text({
            let mut nodes = one(Op::Flatten);
            nodes.insert(
                2,
                Node::new("t", Operator::Transpose { to: Layout::HWC }, &[1]),
            );
            nodes[3].inputs = vec![2];
            nodes
        }),
        text(vec![Node::new("in", huge, &[]), output(0)]),
        text(fused(vec![])),
        text(fused(vec![Op::Relu, pool(1)])),
    ];
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn a_circle_is_named_in_the_order_of_its_flow() {
    // a reads c, b reads a, c reads b; d hangs on the circle and is not in it.
    let nodes = vec![
        relu("d", 1),
        relu("a", 3),
        relu("b", 1),
        relu("c", 2),
        output(0),
    ];
    let nodes_in_circle = ["a", "b", "c"].map(str::to_owned).to_vec();
    let Err(GraphError::Cycle { nodes }) = Graph::new("circle", nodes) else {
        panic!("no circle")
    };
    let start = nodes_in_circle.iter().position(|n| *n == nodes[0]).unwrap();
    let mut expected = nodes_in_circle;
    expected.rotate_left(start);
    assert_eq!(nodes, expected);
}

#[test]
fn a_batch_must_be_the_inputs() {
    let graph = Graph::new("g", vec![input(), output(0)]).unwrap();
    let right = Tensor::full(&[5, 2, 3, 4], 1.0f32).unwrap();
    assert_eq!(
        graph.run(&Floats, std::slice::from_ref(&right)).unwrap()[1],
        right
    );
    let tensors = |expected, got| Err(GraphError::Tensors { expected, got });
    assert_eq!(graph.run(&Floats, &[]), tensors(1, 0));
    assert_eq!(graph.run(&Floats, &[right.clone(), right]), tensors(1, 2));
    for shape in [&[5, 4, 3, 2][..], &[2, 3, 4], &[]] {
        let wrong = Tensor::full(shape, 1.0f32).unwrap();
        let got = graph.run(&Floats, &[wrong]);
        assert!(
            matches!(&got, Err(GraphError::Shape { node, .. }) if node == "in"),
            "{got:?}"
        );
    }
    let two = vec![
        input(),
        Node::new("other", input().operator, &[]),
        Node::new("both", Operator::Concat, &[0, 1]),
        output(2),
    ];
    let two = Graph::new("two", two).unwrap();
    let [one, three] = [1, 3].map(|items| Tensor::full(&[items, 2, 3, 4], items as f32).unwrap());
    let both = two.run(&Floats, &[one.clone(), one.clone()]).unwrap();
    assert_eq!(both[3].shape(), [1, 4, 3, 4]);
    assert_eq!(
        two.run(&Floats, &[one, three]).unwrap_err().to_string(),
        "node other: batch: expected shape [1, 2, 3, 4], got [3, 2, 3, 4]"
    );
    let empty = Tensor::<f32>::full(&[0, 2, 3, 4], 1.0).unwrap();
    assert_eq!(
        graph.run(&Floats, std::slice::from_ref(&empty)).unwrap()[1],
        empty
    );
}
