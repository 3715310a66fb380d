//! The steps of a graph, counted as NNTool counts them: each constant is one, before the kernel
//! that reads it.
//!
//! ```text
//! S0  input_1
//! S1  _conv1_conv_weights        S3_Mul_scale   of the kernel's step, no step of their own
//! S2  _conv1_conv_biases         S3_Mul_shift
//! S3  _conv1_Conv_fusion         S3_Infos
//! …   output_1
//! ```

use quant::graph::Operator;
use quant::sq8::{Sq8Params, Sq8Weights};
use reference::{Op, Weights};

use super::Release;
use super::source::Source;
use super::tensors::Elements;
use crate::export::ExportError;

/// What the graph is called where it comes in, and where it goes out.
pub const ENDS: [&str; 2] = ["input_1", "output_1"];

/// The steps of a network.
#[derive(Clone, Debug)]
pub struct Steps {
    /// The graph's name, as C writes it.
    pub graph: String,
    /// In order: a step's number is its place.
    pub steps: Vec<Step>,
}

/// A step.
#[derive(Clone, Debug)]
pub struct Step {
    /// `S<number>_<node>`, or one of [`ENDS`].
    pub name: String,
    /// Of its output; of a constant with a scale a channel, of the first.
    pub scale: f64,
    /// The code that stands for 0.
    pub zero_point: i32,
    /// Of its output for one image.
    pub shape: Vec<usize>,
    /// What it is.
    pub kind: Kind,
}

/// What a step is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Where the graph begins.
    Input,
    /// Where it ends: the step that it reads.
    Output(usize),
    /// A tensor of a kernel.
    Constant(Constant),
    /// A call on the device.
    Kernel(Box<Kernel>),
}

/// A tensor with a file of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constant {
    /// The file without `.tensor`.
    pub stem: String,
    /// Row-major.
    pub shape: Vec<usize>,
    /// Its values.
    pub values: Elements,
}

/// A filter with what is fused with it.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// The node's name.
    pub node: String,
    /// Its own step; its weights and its bias are the two before it.
    pub step: usize,
    /// The step that it reads.
    pub input: usize,
    /// Its layers in order, the filter first.
    pub layers: Vec<Op<()>>,
    /// Where its parameters are among those of the weighted layers.
    pub weighted: usize,
    /// `Mul_scale`, `Mul_shift`, `Infos`.
    pub scaling: [Constant; 3],
}

impl Constant {
    /// The file.
    pub fn file(&self) -> String {
        format!("{}.tensor", self.stem)
    }
}

impl Steps {
    /// Of a network and the parameters of its weighted layers, in order.
    ///
    /// # Errors
    /// A node that is no kernel.
    pub fn new(
        source: &Source,
        layers: &[&Sq8Weights],
        release: Release,
    ) -> Result<Self, ExportError> {
        let graph = &source.graph;
        let mut steps: Vec<Step> = Vec::new();
        let mut step_of = Vec::with_capacity(graph.nodes().len());
        let mut weighted = 0;
        for (node, form) in graph.nodes().iter().zip(graph.forms()) {
            let input = node.inputs.first().map_or(0, |&input| step_of[input]);
            let step = |name: String, params: &Sq8Params, kind| Step {
                name,
                scale: params.scale(),
                zero_point: params.zero_point(),
                shape: form.shape.clone(),
                kind,
            };
            let inexpressible = || ExportError::Inexpressible {
                network: graph.name().to_owned(),
                node: node.name.clone(),
                format: super::FORMAT.name,
                what: format!("a {} that is no part of a kernel", node.operator.kind()),
                mend: "put it behind a convolution or a linear layer".into(),
            };
            match &node.operator {
                Operator::Input { .. } => {
                    let first = layers.first().ok_or_else(inexpressible)?;
                    steps.push(step(ENDS[0].into(), &first.input, Kind::Input));
                }
                Operator::Output => {
                    let name = ENDS[1].into();
                    let Step {
                        scale, zero_point, ..
                    } = steps[input];
                    steps.push(Step {
                        name,
                        scale,
                        zero_point,
                        shape: form.shape.clone(),
                        kind: Kind::Output(input),
                    });
                }
                operator => {
                    let members = members(operator);
                    let layer = layers
                        .get(weighted)
                        .filter(|_| operator.weights().is_some());
                    let layer = layer.ok_or_else(inexpressible)?;
                    let filter = filter_name(operator, &node.name).to_lowercase();
                    let at = steps.len();
                    for (at, constant) in (at..).zip(parameters(&filter, layer)) {
                        let scale = layer
                            .weight_scales
                            .first()
                            .map_or(1.0, |scale| scale.wide());
                        // A bias counts in steps of the accumulator.
                        let of = match constant.values {
                            Elements::Int32(_) => layer.input.scale(),
                            _ => 1.0,
                        };
                        steps.push(Step {
                            name: format!("S{at}_{}", constant.stem),
                            scale: scale * of,
                            zero_point: 0,
                            shape: constant.shape.clone(),
                            kind: Kind::Constant(constant),
                        });
                    }
                    let at = steps.len();
                    let kernel = Kernel {
                        node: node.name.clone(),
                        step: at,
                        input,
                        layers: members,
                        weighted,
                        scaling: scaling(at, layer, release),
                    };
                    weighted += 1;
                    let name = format!("S{at}_{}", node.name);
                    steps.push(step(name, &layer.output, Kind::Kernel(Box::new(kernel))));
                }
            }
            step_of.push(steps.len() - 1);
        }
        Ok(Self {
            graph: identifier(graph.name()),
            steps,
        })
    }

    /// Every tensor that has a file, in the order of the steps.
    pub fn constants(&self) -> impl Iterator<Item = &Constant> {
        self.steps.iter().flat_map(|step| match &step.kind {
            Kind::Constant(constant) => std::slice::from_ref(constant),
            Kind::Kernel(kernel) => &kernel.scaling[..],
            Kind::Input | Kind::Output(_) => &[],
        })
    }

    /// Weights and bias of a kernel: `[out, …]`, `[out]`.
    pub fn parameters(&self, kernel: &Kernel) -> Option<[&Constant; 2]> {
        let constant = |before: usize| match &self.steps.get(kernel.step.checked_sub(before)?)?.kind
        {
            Kind::Constant(constant) => Some(constant),
            _ => None,
        };
        Some([constant(2)?, constant(1)?])
    }

    /// The kernels, with their steps.
    pub fn kernels(&self) -> impl Iterator<Item = (&Step, &Kernel)> {
        self.steps.iter().filter_map(|step| match &step.kind {
            Kind::Kernel(kernel) => Some((step, &**kernel)),
            _ => None,
        })
    }
}

/// The layers of a node, without their weights.
fn members(operator: &Operator<Weights<f32>>) -> Vec<Op<()>> {
    let plain = |op: &Op<Weights<f32>>| {
        let Ok(op) = op.try_map(|_| Ok::<_, std::convert::Infallible>(()));
        op
    };
    match operator {
        Operator::Op(op) => vec![plain(op)],
        Operator::Fusion(layers) => layers.iter().map(|layer| plain(&layer.op)).collect(),
        _ => Vec::new(),
    }
}

/// The filter's own name: a fusion keeps that of its first layer.
fn filter_name<'a>(operator: &'a Operator<Weights<f32>>, node: &'a str) -> &'a str {
    match operator {
        Operator::Fusion(layers) => layers.first().map_or(node, |layer| &layer.name),
        _ => node,
    }
}

fn parameters(filter: &str, layer: &Sq8Weights) -> [Constant; 2] {
    [
        Constant {
            stem: format!("{filter}_weights"),
            shape: layer.codes.shape().to_vec(),
            values: Elements::Int8(layer.codes.data().to_vec()),
        },
        Constant {
            stem: format!("{filter}_biases"),
            shape: vec![layer.bias.len()],
            values: Elements::Int32(layer.bias.clone()),
        },
    ]
}

fn scaling(step: usize, layer: &Sq8Weights, release: Release) -> [Constant; 3] {
    let constant = |what: &str, values: Elements| Constant {
        stem: format!("S{step}_{what}"),
        shape: vec![values.len()],
        values,
    };
    let infos = match release {
        Release::V4_22 => layer.infos().bytes().to_vec(),
        Release::V4_0 => layer.infos().bytes_of_4_0().to_vec(),
    };
    // A shift is 24 at most.
    let shifts = layer.scales.iter().map(|scale| scale.shift as i8);
    [
        constant(
            "Mul_scale",
            Elements::UInt8(layer.scales.iter().map(|scale| scale.scale).collect()),
        ),
        constant("Mul_shift", Elements::Int8(shifts.collect())),
        constant("Infos", Elements::Int8(infos)),
    ]
}

/// A name that C takes: everything but letters, digits and `_` is `_`.
fn identifier(name: &str) -> String {
    name.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}
