//! Random networks in exact rationals: float side, unrounded integer side.

use num_rational::BigRational;
use num_traits::{One, Zero};
use quant::formulas::conventions::{Convention, LayerScales, NetworkScales};
use quant::prove::Random;
use quant::symbolic::evaluate::{Assignment, Computed, Entries, Value, integer};
use quant::symbolic::expression::{Kind, Tensor};
use reference::{Conv2dGeometry, PoolGeometry, Window};

/// A float32 scale, any magnitude from 2⁻¹² to 2⁴, as a rational.
fn scale(random: &mut Random) -> BigRational {
    let mantissa = 1.0 + (random.unit() + 1.0) / 2.0;
    exact(mantissa * 2f32.powi(random.below(16) as i32 - 12))
}

fn values(random: &mut Random, count: usize) -> Vec<BigRational> {
    random.values(count, 1.0).into_iter().map(exact).collect()
}

/// Every float is a rational.
pub(crate) fn exact(value: f32) -> BigRational {
    BigRational::from_float(value).unwrap()
}

/// One weighted layer and what follows it.
pub(crate) struct Layer {
    pub(crate) operation: Operation,
    pub(crate) weight: Vec<BigRational>,
    pub(crate) bias: Option<Vec<BigRational>>,
    pub(crate) relu: bool,
    pub(crate) pool: Option<PoolGeometry>,
    pub(crate) output: [usize; 3],
}

pub(crate) enum Operation {
    Convolution {
        input: [usize; 3],
        kernel: [usize; 2],
        geometry: Conv2dGeometry,
    },
    Product {
        inputs: usize,
    },
}

/// A network with its input, random scales and zero points.
pub(crate) struct Exact {
    pub(crate) input: Vec<BigRational>,
    pub(crate) layers: Vec<Layer>,
    /// In the convention of the formulas.
    pub(crate) scales: NetworkScales<BigRational>,
    /// z_I, then (z_W, z_O) of each layer; all 0 for a symmetric network.
    pub(crate) zero_points: Option<(BigRational, Vec<[BigRational; 2]>)>,
    float: Vec<Vec<BigRational>>,
    codes: Vec<Vec<BigRational>>,
}

impl Exact {
    /// Convolutions with pools while the image is large enough, then linear layers.
    pub(crate) fn random(random: &mut Random, depth: usize) -> Self {
        let mut shape = [1 + random.below(2), 4 + random.below(2), 4];
        let input = values(random, shape.iter().product());
        let mut layers = Vec::new();
        for _ in 0..depth {
            let convolution = shape[1] > 1 && random.below(3) > 0;
            let operation = if convolution {
                Operation::Convolution {
                    input: shape,
                    kernel: [2, 1 + random.below(2)].map(|k| k.min(shape[2])),
                    geometry: Conv2dGeometry {
                        padding: [random.below(2), random.below(2)],
                        ..Conv2dGeometry::default()
                    },
                }
            } else {
                Operation::Product {
                    inputs: shape.iter().product(),
                }
            };
            let outputs = 1 + random.below(3);
            let (taps, output) = operation.shapes(outputs);
            let pool = (convolution && output[1] > 2 && output[2] > 2 && random.below(3) > 0)
                .then_some(PoolGeometry {
                    kernel: [2, 2],
                    stride: [2, 2],
                    padding: [0, 0],
                });
            layers.push(Layer {
                weight: values(random, outputs * taps),
                bias: (random.below(3) > 0).then(|| values(random, outputs)),
                relu: random.below(4) > 0,
                pool,
                operation,
                output,
            });
            shape = match pool {
                Some(_) => [output[0], output[1] / 2, output[2] / 2],
                None => output,
            };
        }
        let scales = NetworkScales {
            convention: Convention::Relative,
            input: scale(random),
            layers: (0..depth)
                .map(|_| LayerScales {
                    weight: scale(random),
                    output: scale(random),
                })
                .collect(),
        };
        let mut exact = Self {
            input,
            layers,
            scales,
            zero_points: None,
            float: Vec::new(),
            codes: Vec::new(),
        };
        exact.run();
        exact
    }

    /// The same network in another convention.
    pub(crate) fn to(&mut self, convention: Convention) {
        self.scales = self.scales.to(convention);
        self.run();
    }

    /// The same network with scales that put the largest value of every tensor at 127.
    pub(crate) fn calibrate(&mut self) -> bool {
        let largest = |values: &[BigRational]| {
            let magnitudes = values
                .iter()
                .map(|v| if *v < integer(0) { -v } else { v.clone() });
            magnitudes.max().unwrap() / integer(127)
        };
        let absolute = NetworkScales {
            convention: Convention::Absolute,
            input: largest(&self.input),
            layers: (self.layers.iter().zip(&self.float))
                .map(|(layer, output)| LayerScales {
                    weight: largest(&layer.weight),
                    output: largest(output),
                })
                .collect(),
        };
        if absolute.layers.iter().any(|layer| layer.output.is_zero()) {
            return false;
        }
        self.scales = absolute.to(Convention::Relative);
        self.run();
        true
    }

    pub(crate) fn shift(&mut self, random: &mut Random) {
        let mut zero_point = || integer(random.below(256) as i64 - 128);
        let input = zero_point();
        let layers = self
            .layers
            .iter()
            .map(|_| [zero_point(), zero_point()])
            .collect();
        self.zero_points = Some((input, layers));
        self.run();
    }

    fn zero_point(&self, tensor: Tensor, layer: u32) -> BigRational {
        let Some((input, layers)) = &self.zero_points else {
            return integer(0);
        };
        match tensor {
            Tensor::Input => input.clone(),
            Tensor::Weight => layers[layer as usize - 1][0].clone(),
            Tensor::Output => layers[layer as usize - 1][1].clone(),
            Tensor::Bias => integer(0),
        }
    }

    /// Both recursions: the float one, and that of the unrounded codes, by the very
    /// formulas of the convention, from ratios of the weights, the biases and the input.
    fn run(&mut self) {
        self.float.clear();
        self.codes.clear();
        let mut real = self.input.clone();
        let mut code = self.ratios(&self.input, &self.scales.input, &integer(0));
        for i in 0..self.layers.len() {
            let layer = &self.layers[i];
            let mut output = layer.operation.apply(&layer.weight, &real);
            let weights = self.ratios(&layer.weight, &self.scales.layers[i].weight, &integer(0));
            let mut acc = layer.operation.apply(&weights, &code);
            if let Some(bias) = &layer.bias {
                let step = self.accumulator_step(i as u32 + 1);
                let codes: Vec<_> = bias.iter().map(|b| b / &step).collect();
                output = sum(&output, &layer.spread(bias));
                acc = sum(&acc, &layer.spread(&codes));
            }
            let constant = &self.scales.layers[i].output;
            let codes: Vec<BigRational> = match self.scales.convention {
                Convention::Relative => acc.iter().map(|acc| acc / constant).collect(),
                Convention::Multiply => acc.iter().map(|acc| acc * constant).collect(),
                Convention::Absolute => {
                    let step = self.accumulator_step(i as u32 + 1);
                    let multiplier = step / constant;
                    acc.iter().map(|acc| acc * &multiplier).collect()
                }
            };
            (real, code) = (layer.activated(&output), layer.activated(&codes));
            self.float.push(output);
            self.codes.push(codes);
        }
    }

    /// x/s + z (n·x + z).
    fn ratios(
        &self,
        values: &[BigRational],
        constant: &BigRational,
        z: &BigRational,
    ) -> Vec<BigRational> {
        let ratio = |x: &BigRational| match self.scales.convention {
            Convention::Multiply => x * constant + z,
            _ => x / constant + z,
        };
        values.iter().map(ratio).collect()
    }

    /// The real value of one accumulator step.
    fn accumulator_step(&self, layer: u32) -> BigRational {
        let relative = self.scales.to(Convention::Relative);
        let earlier: Vec<(BigRational, BigRational)> = (relative.layers.iter())
            .map(|layer| (layer.weight.clone(), layer.output.clone()))
            .collect();
        let i = layer as usize - 1;
        quant::formulas::composed::composed(&earlier[i].0, &relative.input, &earlier[..i])
    }

    pub(crate) fn depth(&self) -> usize {
        self.layers.len()
    }
}

impl Operation {
    /// Values of one output channel's weights, and the output shape.
    fn shapes(&self, outputs: usize) -> (usize, [usize; 3]) {
        match self {
            Self::Product { inputs } => (*inputs, [outputs, 1, 1]),
            Self::Convolution {
                input,
                kernel,
                geometry,
            } => {
                let [rows, columns] = geometry.windows(*kernel);
                let shape = [
                    outputs,
                    rows.outputs(input[1]).unwrap(),
                    columns.outputs(input[2]).unwrap(),
                ];
                (input[0] * kernel[0] * kernel[1], shape)
            }
        }
    }

    /// `W * I`.
    fn apply(&self, weight: &[BigRational], x: &[BigRational]) -> Vec<BigRational> {
        match self {
            Self::Product { inputs } => (weight.chunks(*inputs))
                .map(|row| row.iter().zip(x).map(|(w, x)| w * x).sum())
                .collect(),
            Self::Convolution {
                input,
                kernel,
                geometry,
            } => {
                let windows = geometry.windows(*kernel);
                let taps = input[0] * kernel[0] * kernel[1];
                let (_, [_, height, width]) = self.shapes(0);
                let mut output = Vec::new();
                for filter in weight.chunks(taps) {
                    for y in 0..height {
                        for column in 0..width {
                            output.push(window_sum(
                                &windows,
                                filter,
                                *input,
                                *kernel,
                                x,
                                [y, column],
                            ));
                        }
                    }
                }
                output
            }
        }
    }
}

fn window_sum(
    windows: &[Window; 2],
    filter: &[BigRational],
    [channels, height, width]: [usize; 3],
    kernel: [usize; 2],
    x: &[BigRational],
    at: [usize; 2],
) -> BigRational {
    let mut sum = BigRational::zero();
    for channel in 0..channels {
        for ky in 0..kernel[0] {
            for kx in 0..kernel[1] {
                let y = windows[0].input_at(at[0], ky, height);
                let column = windows[1].input_at(at[1], kx, width);
                if let (Some(y), Some(column)) = (y, column) {
                    let w = &filter[(channel * kernel[0] + ky) * kernel[1] + kx];
                    sum += w * &x[(channel * height + y) * width + column];
                }
            }
        }
    }
    sum
}

impl Layer {
    fn spread(&self, bias: &[BigRational]) -> Vec<BigRational> {
        let positions = self.output[1] * self.output[2];
        (bias
            .iter()
            .flat_map(|b| std::iter::repeat_n(b.clone(), positions)))
        .collect()
    }

    /// `pool(relu(x))`, whichever of them there is.
    fn activated(&self, output: &[BigRational]) -> Vec<BigRational> {
        let zero = BigRational::zero();
        let rectified: Vec<BigRational> = match self.relu {
            true => output.iter().map(|x| x.max(&zero).clone()).collect(),
            false => output.to_vec(),
        };
        self.pooled(&rectified)
    }

    fn pooled(&self, x: &[BigRational]) -> Vec<BigRational> {
        let Some(pool) = &self.pool else {
            return x.to_vec();
        };
        let [channels, height, width] = self.output;
        let [rows, columns] = pool.windows();
        let (out_h, out_w) = (
            rows.outputs(height).unwrap(),
            columns.outputs(width).unwrap(),
        );
        let mut output = Vec::new();
        for channel in 0..channels {
            for (y, column) in (0..out_h).flat_map(|y| (0..out_w).map(move |x| (y, x))) {
                let taps =
                    (0..pool.kernel[0]).flat_map(|ky| (0..pool.kernel[1]).map(move |kx| (ky, kx)));
                let values = taps.map(|(ky, kx)| {
                    let (y, column) = (y * pool.stride[0] + ky, column * pool.stride[1] + kx);
                    x[(channel * height + y) * width + column].clone()
                });
                output.push(values.max().unwrap());
            }
        }
        output
    }
}

fn sum(a: &[BigRational], b: &[BigRational]) -> Vec<BigRational> {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

impl Assignment for Exact {
    fn value(&self, kind: Kind, tensor: Tensor, layer: u32) -> Option<Value> {
        let i = (layer as usize).checked_sub(1);
        if i.is_some_and(|i| i >= self.depth()) {
            return None;
        }
        let constants = |convention| {
            let scales = self.scales.to(convention);
            match (tensor, i) {
                (Tensor::Input, _) => Some(scales.input),
                (Tensor::Weight, Some(i)) => Some(scales.layers[i].weight.clone()),
                (Tensor::Output, Some(i)) => Some(scales.layers[i].output.clone()),
                (Tensor::Bias, Some(_)) => Some(self.accumulator_step(layer)),
                _ => None,
            }
        };
        let written = match self.scales.convention {
            Convention::Absolute => Convention::Absolute,
            Convention::Relative | Convention::Multiply => Convention::Relative,
        };
        let real = || match (tensor, i) {
            (Tensor::Input, _) => Some(self.input.clone()),
            (Tensor::Weight, Some(i)) => Some(self.layers[i].weight.clone()),
            (Tensor::Output, Some(i)) => Some(self.float[i].clone()),
            (Tensor::Bias, Some(i)) => self.layers[i].bias.clone(),
            _ => None,
        };
        let values = match kind {
            Kind::Scale => return constants(written).map(Value::Number),
            Kind::Inverse => {
                return constants(written).map(|s| Value::Number(BigRational::one() / s));
            }
            Kind::ZeroPoint => return Some(Value::Number(self.zero_point(tensor, layer))),
            Kind::Multiplier => return Some(Value::Number(self.scales.multipliers()[i?].clone())),
            Kind::Real => real()?,
            Kind::Code => {
                let z = self.zero_point(tensor, layer);
                let codes = match (tensor, i) {
                    (Tensor::Output, Some(i)) => self.codes[i].clone(),
                    (Tensor::Bias, Some(_)) => {
                        let step = self.accumulator_step(layer);
                        real()?.iter().map(|b| b / &step).collect()
                    }
                    _ => {
                        let Value::Number(scale) = self.value(Kind::Scale, tensor, layer)? else {
                            return None;
                        };
                        real()?.iter().map(|x| x / &scale).collect()
                    }
                };
                codes.into_iter().map(|q: BigRational| q + &z).collect()
            }
        };
        Some(Value::Tensor(Entries {
            tensor,
            layer,
            values,
        }))
    }

    fn apply(&self, layer: u32, weight: &[BigRational], input: &[BigRational]) -> Computed {
        Some(
            self.layers[layer as usize - 1]
                .operation
                .apply(weight, input),
        )
    }

    fn spread(&self, layer: u32, bias: &[BigRational]) -> Computed {
        Some(self.layers[layer as usize - 1].spread(bias))
    }

    fn pool(&self, layer: u32, output: &[BigRational]) -> Computed {
        Some(self.layers[layer as usize - 1].pooled(output))
    }
}
