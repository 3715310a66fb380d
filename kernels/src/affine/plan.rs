//! What a session does, step by step, and the maps between the steps.

use quant::affine::{AffineNetwork, AffineWeights};
use reference::geometry::rank;
use reference::{Conv2dGeometry, Op, ShapeError, Window};

use super::finish::{Codes, Formula, certified};
use super::form::{Element, Form};
use super::words::{WordWeights, Words};
use super::{LayerPath, Sums};
use crate::conv2d::Conv2dWeights;
use crate::entry::Table;
use crate::fusion::{Fused, border, feature, maps_of};
use crate::interface::table_of;
use crate::layout::MapShape;
use crate::linear::LinearWeights;
use crate::{Conv2d, Kernels, Linear};

/// Images that go through the linear layers together: whole tiles of 6, 4 and 2 rows.
const BLOCK: usize = 24;

/// Why nothing here can fail.
const FIT: &str = "the shapes of a network fit";

/// A packed network.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) table: Table,
    /// The input, then the maps that each step with an output of its own makes.
    pub(super) maps: Vec<Maps>,
    pub(super) steps: Vec<Step>,
    pub(super) block: usize,
    input: [usize; 3],
    output: Vec<usize>,
}

/// Codes between steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Maps {
    pub(super) shape: MapShape,
    pub(super) form: Form,
    /// Images that they hold: a block where a step takes one, else one.
    pub(super) slots: usize,
}

/// One step.
#[derive(Debug)]
pub(super) struct Step {
    /// Which maps it reads, and which it writes (the same if it works in place).
    pub(super) maps: [usize; 2],
    pub(super) kind: Kind,
}

/// What a step computes.
#[derive(Debug)]
pub(super) enum Kind {
    Weighted(Box<Weighted>),
    Relu,
    /// The largest of each window, or its mean: then, whether padding counts.
    Pool {
        windows: [Window; 2],
        mean: Option<bool>,
    },
    /// Codes stay where they are.
    Flatten,
}

/// A convolution or linear layer, its requantization, and what is fused with it.
#[derive(Debug)]
pub(super) struct Weighted {
    pub(super) kernel: Kernel,
    pub(super) codes: Codes,
    /// It ends with a max-pool of 2 × 2.
    pub(super) pooled: bool,
    /// Rows, columns and channels of the sums.
    pub(super) sums: [usize; 3],
    /// Whether it takes a block at once.
    pub(super) linear: bool,
}

/// Who sums.
#[derive(Debug)]
pub(super) enum Kernel {
    Conv2d(Conv2d),
    Linear(Linear),
    Words(Words),
}

impl Plan {
    /// `None` where the kernels do not hold a layer's sums, or its codes do not rise with them.
    pub(super) fn new(network: &AffineNetwork, kernels: Kernels) -> Option<Self> {
        let layers = network.network().layers();
        let shapes = network.network().shapes();
        let mut reach = network.reach().iter().copied();
        let input = network.network().input().shape;
        let mut form = Form::new(*network.input());
        let mut plan = Self {
            table: table_of(kernels),
            maps: vec![Maps::new(input, form, border(layers))],
            steps: Vec::with_capacity(layers.len()),
            block: BLOCK,
            input,
            output: shapes
                .last()
                .map_or(input.to_vec(), |last| last[1..].to_vec()),
        };
        let mut next = 0;
        while let Some(layer) = layers.get(next) {
            let read = plan.maps.len() - 1;
            let maps = plan.maps[read];
            let mut last = next;
            let kind = match &layer.op {
                Op::Conv2d { geometry, weights } => {
                    let shape = &shapes[next];
                    let sums = [shape[2], shape[3], shape[1]];
                    let reach = reach.next().expect("one for each weighted layer");
                    let layer = Integers::new(weights, reach, maps)?;
                    let kernel = layer.conv2d(kernels, *geometry)?;
                    let may_pool = match &kernel {
                        Kernel::Conv2d(conv) => conv.pools(),
                        _ => true,
                    };
                    let fused = Fused::new(&layers[next + 1..], may_pool);
                    last += fused.layers;
                    Kind::Weighted(Box::new(layer.with(kernel, fused, sums, false)))
                }
                Op::Linear { weights } => {
                    let sums = [1, 1, weights.multipliers.len()];
                    let reach = reach.next().expect("one for each weighted layer");
                    let layer = Integers::new(weights, reach, maps)?;
                    let kernel = layer.linear(kernels)?;
                    let fused = Fused::new(&layers[next + 1..], false);
                    last += fused.layers;
                    Kind::Weighted(Box::new(layer.with(kernel, fused, sums, true)))
                }
                Op::Relu => Kind::Relu,
                Op::MaxPool2d(geometry) => Kind::Pool {
                    windows: geometry.windows(),
                    mean: None,
                },
                Op::AveragePool2d(geometry) => Kind::Pool {
                    windows: geometry.window.windows(),
                    mean: Some(geometry.count_include_pad),
                },
                Op::Flatten => Kind::Flatten,
                Op::LogSoftmax => unreachable!("`AffineNetwork::new` refuses it"),
            };
            if let Some(weights) = layer.weights() {
                form = Form::new(weights.output);
            }
            let write = match kind {
                Kind::Relu | Kind::Flatten => read,
                _ => {
                    let shape = maps_of(&shapes[last]).expect(FIT);
                    let border = border(&layers[last + 1..]);
                    plan.maps.push(Maps::new(shape, form, border));
                    read + 1
                }
            };
            plan.steps.push(Step {
                maps: [read, write],
                kind,
            });
            next = last + 1;
        }
        // What the linear steps read, and what comes out, is there for a whole block.
        for step in plan.image_steps()..plan.steps.len() {
            for maps in plan.steps[step].maps {
                plan.maps[maps].slots = plan.block;
            }
        }
        if let Some(last) = plan.maps.last_mut() {
            last.slots = plan.block;
        }
        Some(plan)
    }

    /// How many of the steps work on one image; those from there on work on a block.
    pub(super) fn image_steps(&self) -> usize {
        let linear = |step: &Step| matches!(&step.kind, Kind::Weighted(layer) if layer.linear);
        self.steps
            .iter()
            .position(linear)
            .unwrap_or(self.steps.len())
    }

    /// Values of an image at the input and at the output.
    pub(super) fn lengths(&self) -> [usize; 2] {
        [0, self.maps.len() - 1].map(|maps| self.maps[maps].shape.codes())
    }

    /// Without N.
    pub(super) fn output_shape(&self) -> &[usize] {
        &self.output
    }

    pub(super) fn check(&self, images: &[usize]) -> Result<(), ShapeError> {
        match images {
            [_, rest @ ..] if *rest == self.input => Ok(()),
            got => Err(ShapeError::Shapes {
                what: "images (N may be any)",
                expected: [&[1], &self.input[..]].concat(),
                got: got.to_vec(),
            }),
        }
    }

    pub(super) fn paths(&self) -> Vec<LayerPath> {
        let weighted = self.steps.iter().filter_map(|step| match &step.kind {
            Kind::Weighted(layer) => Some(&**layer),
            _ => None,
        });
        let path = |layer: &Weighted| LayerPath {
            sums: match &layer.kernel {
                Kernel::Conv2d(_) | Kernel::Linear(_) => Sums::Bytes,
                Kernel::Words(words) => match words.parts() {
                    1 => Sums::Words,
                    parts => Sums::Split { parts },
                },
            },
            algorithm: match &layer.kernel {
                Kernel::Conv2d(conv) => Some(conv.algorithm()),
                Kernel::Linear(_) | Kernel::Words(_) => None,
            },
            certified: matches!(layer.codes, Codes::Certified(_)),
        };
        weighted.map(path).collect()
    }
}

impl Maps {
    fn new([channels, height, width]: [usize; 3], form: Form, border: [usize; 2]) -> Self {
        Self {
            shape: MapShape {
                height,
                width,
                channels,
                border,
            },
            form,
            slots: 1,
        }
    }

    /// Where the codes of a slot begin.
    pub(super) fn at(&self, slot: usize) -> usize {
        slot % self.slots * self.shape.bytes()
    }
}

/// A weighted layer before it is packed.
struct Integers<'a> {
    weights: &'a AffineWeights,
    /// Less their zero point, in the network's order.
    codes: Vec<i32>,
    bias: Vec<i64>,
    reach: i64,
    input: Maps,
}

impl<'a> Integers<'a> {
    /// `None` where a multiplier is none that codes rise with.
    fn new(weights: &'a AffineWeights, reach: i64, input: Maps) -> Option<Self> {
        let rise = |&m: &f64| m.is_finite() && m > 0.0;
        let outputs = weights.multipliers.len();
        weights.multipliers.iter().all(rise).then(|| Self {
            weights,
            codes: weights.shifted().into_data(),
            bias: weights.bias.clone().unwrap_or_else(|| vec![0; outputs]),
            reach,
            input,
        })
    }

    /// Weights and biases where bytes times bytes summed in int32 do.
    fn bytes(&self) -> Option<(Vec<i8>, Vec<i32>)> {
        let fits = self.input.form.element == Element::Byte && self.reach <= i64::from(i32::MAX);
        if !fits {
            return None;
        }
        let codes: Option<_> = self.codes.iter().map(|&w| i8::try_from(w).ok()).collect();
        let bias: Option<_> = self.bias.iter().map(|&b| i32::try_from(b).ok()).collect();
        Some((codes?, bias?))
    }

    /// The stored zero of the input's bytes.
    fn input_zero(&self) -> u8 {
        // Between 0 and 255 for a byte.
        self.input.form.zero() as u8
    }

    fn words<'b>(&'b self, shape: [usize; 4], codes: &'b [i32]) -> WordWeights<'b> {
        WordWeights {
            shape,
            codes,
            bias: &self.bias,
            input: self.input.form,
            reach: self.reach,
        }
    }

    fn conv2d(&self, kernels: Kernels, geometry: Conv2dGeometry) -> Option<Kernel> {
        let shape = rank("convolution weight (OIHW)", self.weights.codes.shape()).expect(FIT);
        if let Some((codes, bias)) = self.bytes() {
            let weights = Conv2dWeights {
                shape,
                codes: &codes,
                bias: Some(&bias),
                input_zero: self.input_zero(),
            };
            let conv = Conv2d::new(kernels, &weights, geometry, self.input.shape);
            return Some(Kernel::Conv2d(conv.expect(FIT)));
        }
        let weights = self.words(shape, &self.codes);
        Words::conv2d(table_of(kernels), &weights, geometry, self.input.shape).map(Kernel::Words)
    }

    fn linear(&self, kernels: Kernels) -> Option<Kernel> {
        let [outputs, inputs] = rank("linear weight", self.weights.codes.shape()).expect(FIT);
        let from = |o: usize, i: usize| o * inputs + feature(self.input.shape, i);
        if let Some((codes, bias)) = self.bytes() {
            let weights = LinearWeights {
                shape: [outputs, inputs],
                code: &|o, i| codes[from(o, i)],
                bias: Some(&bias),
                input_zero: self.input_zero(),
            };
            return Some(Kernel::Linear(Linear::new(kernels, &weights).expect(FIT)));
        }
        let codes: Vec<i32> = (0..outputs)
            .flat_map(|o| (0..inputs).map(move |i| (o, i)))
            .map(|(o, i)| self.codes[from(o, i)])
            .collect();
        let weights = self.words([outputs, inputs, 1, 1], &codes);
        Words::linear(table_of(kernels), &weights).map(Kernel::Words)
    }

    /// The layer with what follows it.
    fn with(&self, kernel: Kernel, fused: Fused, sums: [usize; 3], linear: bool) -> Weighted {
        let zeros;
        let (digit, constants) = match &kernel {
            Kernel::Words(words) => (words.digit(), words.constants()),
            _ => {
                zeros = vec![0.0; sums[2]];
                (1.0, zeros.as_slice())
            }
        };
        let one_sum = !matches!(&kernel, Kernel::Words(words) if words.parts() > 1);
        let certified = one_sum.then(|| certified(self.weights, self.reach, fused.relu));
        let columns = if fused.pool { sums[1] / 2 } else { sums[1] };
        let codes = match certified.flatten() {
            Some(requantizer) => Codes::Certified(match &kernel {
                Kernel::Conv2d(conv) => conv.arranged(requantizer),
                Kernel::Linear(_) | Kernel::Words(_) => requantizer,
            }),
            None => Codes::Formula(Formula::new(
                self.weights,
                fused.relu,
                digit,
                constants,
                columns,
            )),
        };
        Weighted {
            kernel,
            codes,
            pooled: fused.pool,
            sums,
            linear,
        }
    }
}
