//! A chain of layers under the names of NNTool.
//!
//! PyTorch calls an ONNX node after the module that it is called in, `/conv1/Conv`; a function
//! has no module, `/Relu`; the second call of one module or function gets `_1`. NNTool writes
//! `_` for `/`. A linear layer is `MatMul` without a bias and `Gemm` with one; `x.view(…)` is
//! `Reshape`. Layers with weights are modules of their own, pools calls of one module.

use reference::{Network, Op, WeightShape};

use super::{Graph, GraphError, Layout, Node, Operator};

/// What NNTool calls a graph's input.
pub const INPUT: &str = "input_1";
/// What NNTool calls a graph's output.
pub const OUTPUT: &str = "output_1";

impl<W: WeightShape + Clone> Graph<W> {
    /// The same layers, channels first.
    ///
    /// # Errors
    /// None for a network whose shapes fit and whose layers have names without `/`.
    pub fn from_network(network: &Network<W>) -> Result<Self, GraphError> {
        let mut nodes = vec![Node::new(
            INPUT,
            Operator::Input {
                shape: network.input().shape,
                layout: Layout::CHW,
            },
            &[],
        )];
        let mut calls = Calls::default();
        for layer in network.layers() {
            let name = match &layer.op {
                Op::Conv2d { .. } => format!("_{}_Conv", layer.name),
                Op::Linear { weights } if weights.bias_len().is_none() => {
                    format!("_{}_MatMul", layer.name)
                }
                Op::Linear { .. } => format!("_{}_Gemm", layer.name),
                Op::Relu => format!("_{}", calls.of("Relu")),
                Op::MaxPool2d(_) => format!("_{}_MaxPool", calls.of("pool")),
                Op::AveragePool2d(_) => format!("_{}_AveragePool", calls.of("avgpool")),
                Op::Flatten => format!("_{}", calls.of("Reshape")),
                Op::LogSoftmax => format!("_{}", calls.of("LogSoftmax")),
            };
            let last = nodes.len() - 1;
            nodes.push(Node::new(name, Operator::Op(layer.op.clone()), &[last]));
        }
        nodes.push(Node::new(OUTPUT, Operator::Output, &[nodes.len() - 1]));
        Self::new(network.name(), nodes)
    }
}

/// How often each module or function has been called.
#[derive(Default)]
struct Calls(Vec<&'static str>);

impl Calls {
    /// Its name at this call.
    fn of(&mut self, name: &'static str) -> String {
        let earlier = self.0.iter().filter(|&&called| called == name).count();
        self.0.push(name);
        match earlier {
            0 => name.to_owned(),
            _ => format!("{name}_{earlier}"),
        }
    }
}
