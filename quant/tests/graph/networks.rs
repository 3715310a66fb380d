//! The five networks under NNTool's names, and what the passes make of them.

use std::fmt::Write;

use fixtures::{Fixtures, NETWORKS, NetworkFixture};
use quant::graph::run::{Floats, Golden};
use quant::graph::{Graph, GraphError, Layout, OUTPUT};
use reference::{Tensor, Weights};

fn load(name: &str) -> NetworkFixture {
    let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
    NetworkFixture::load(&fixtures, name).unwrap()
}

fn float(name: &str) -> Graph<Weights<f32>> {
    Graph::from_network(&load(name).network).unwrap()
}

#[test]
fn layers_have_the_names_of_the_onnx_import() {
    let lab = [
        "input_1",
        "_conv1_Conv",
        "_Relu",
        "_pool_MaxPool",
        "_conv2_Conv",
        "_Relu_1",
        "_pool_1_MaxPool",
        "_Reshape",
        "_fc1_MatMul",
        "_Relu_2",
        "_fc2_MatMul",
        "_Relu_3",
        "_fc3_MatMul",
        "output_1",
    ];
    let names = |name: &str| -> Vec<String> {
        let nodes = float(name).nodes().to_vec();
        nodes.into_iter().map(|node| node.name).collect()
    };
    assert_eq!(names("lab"), lab);
    // A linear layer with a bias is a Gemm.
    let with_bias = lab.map(|name| name.replace("_fc3_MatMul", "_fc3_Gemm"));
    assert_eq!(names("lab-bias"), with_bias);
    let mlp = [
        "_Reshape",
        "_fc1_Gemm",
        "_Relu",
        "_fc2_Gemm",
        "_Relu_1",
        "_fc3_Gemm",
    ];
    assert_eq!(names("mlp-mnist")[1..7], mlp);
    assert_eq!(names("mlp-mnist")[7..], ["_LogSoftmax", "output_1"]);
}

#[test]
fn the_lab_is_fused_as_nntool_fuses_it() {
    let (adjusted, _) = float("lab").adjust(Layout::CHW).unwrap();
    let (_, report) = adjusted.fuse_scale8().unwrap();
    let mut text = String::new();
    for fused in &report.fused {
        writeln!(text, "{fused}").unwrap();
    }
    for left in &report.left {
        writeln!(text, "{} alone: {}", left.node, left.reason).unwrap();
    }
    insta::assert_snapshot!(text);
}

#[test]
fn what_the_passes_report() {
    let mut text = String::new();
    for name in NETWORKS {
        for target in [Layout::CHW, Layout::HWC] {
            let (adjusted, report) = float(name).adjust(target).unwrap();
            writeln!(text, "{name}, adjust to {target}").unwrap();
            for change in &report.changes {
                writeln!(text, "  {:<9} {change}", change.verb()).unwrap();
            }
            for kept in &report.kept {
                writeln!(text, "  kept      {kept}").unwrap();
            }
            if target == Layout::HWC {
                continue;
            }
            let (fused, report) = adjusted.fuse_scale8().unwrap();
            assert_eq!(fused.adjusted(), Ok(target));
            writeln!(text, "{name}, fusions").unwrap();
            for moved in &report.moved {
                writeln!(text, "  moved     {moved}").unwrap();
            }
            for removed in &report.removed {
                writeln!(text, "  removed   {removed}").unwrap();
            }
            for fused in &report.fused {
                writeln!(text, "  fused     {fused}").unwrap();
            }
            for left in &report.left {
                writeln!(
                    text,
                    "  left      {}, {}: {}",
                    left.node, left.kind, left.reason
                )
                .unwrap();
            }
        }
    }
    insta::assert_snapshot!(text);
}

/// On the fixtures' own images, in PyTorch's numbers: the graph is the network, through both
/// passes, in floats and in codes.
#[test]
fn the_networks_compute_what_they_did() {
    for name in NETWORKS {
        let fixture = load(name);
        let float = &fixture.network;
        let input = (fixture.int8.input_codes.head(2)).map(|code| f32::from(code) / 64.0);
        let expected = float.forward(&input).unwrap();
        let graph = Graph::from_network(float).unwrap();
        assert_eq!(output(&graph, &input), expected, "{name}");
        // Channels first, no linear layer sums in another order.
        let (adjusted, report) = graph.adjust(Layout::CHW).unwrap();
        assert_eq!((report.changes, report.kept), (vec![], vec![]), "{name}");
        assert_eq!(output(&adjusted, &input), expected, "{name}");
        let (fused, _) = adjusted.fuse_scale8().unwrap();
        assert_eq!(output(&fused, &input), expected, "{name}, fused");

        let network = &fixture.int8.network;
        let codes = fixture.int8.input_codes.head(4);
        let expected = fixture.int8.output_codes.head(4);
        let graph = Graph::from_network(network.network()).unwrap();
        for target in [Layout::CHW, Layout::HWC] {
            let (adjusted, _) = graph.adjust(target).unwrap();
            let (fused, _) = adjusted.fuse_scale8().unwrap();
            for graph in [&graph, &adjusted, &fused] {
                let arithmetic = Golden(network.rounding());
                let outputs = graph
                    .run(&arithmetic, std::slice::from_ref(&codes))
                    .unwrap();
                let at = graph.position(OUTPUT).unwrap();
                assert_eq!(outputs[at], expected, "{name}, {target}");
            }
        }
    }
}

fn output(graph: &Graph<Weights<f32>>, input: &Tensor<f32>) -> Tensor<f32> {
    let outputs = graph.run(&Floats, std::slice::from_ref(input)).unwrap();
    outputs[graph.position(OUTPUT).unwrap()].clone()
}

#[test]
fn what_writes_code_asks_for_an_adjusted_graph() {
    let graph = float("lab");
    assert_eq!(
        graph.adjusted(),
        Err(GraphError::NotAdjusted {
            graph: "lab".into()
        })
    );
    let fused = graph.fuse_scale8().unwrap().0;
    assert!(fused.adjusted().is_err(), "fusing does not adjust");
    let (adjusted, _) = graph.adjust(Layout::HWC).unwrap();
    assert_eq!(adjusted.adjusted(), Ok(Layout::HWC));
    let same = adjusted
        .try_map_weights(|_, w| Ok::<_, ()>(w.clone()))
        .unwrap();
    assert_eq!(same, adjusted);
}
