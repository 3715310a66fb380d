//! What a network is made of, shared by the float and the integer side.

use crate::ops::{self, AveragePoolGeometry};
use crate::{Conv2dGeometry, Element, PoolGeometry, ShapeError, Tensor};

/// The images that a network takes, and how a pixel becomes its input.
#[derive(Clone, Debug, PartialEq)]
pub struct InputSpec {
    /// [channels, height, width].
    pub shape: [usize; 3],
    /// Subtracted from pixel/255.
    pub mean: f32,
    /// Divides the difference.
    pub std: f32,
}

impl InputSpec {
    /// `(pixel/255 − mean) / std` in f32, in this order, as PyTorch computes it.
    pub fn normalize(&self, pixels: &Tensor<u8>) -> Tensor<f32> {
        pixels.map(|pixel| (f32::from(pixel) / 255.0 - self.mean) / self.std)
    }
}

/// An operator; `W` is what a weighted layer carries (float weights here, codes
/// and scales in `quant`).
#[derive(Clone, Debug, PartialEq)]
pub enum Op<W> {
    /// Convolution, weight OIHW.
    Conv2d {
        /// Stride, padding, dilation, groups.
        geometry: Conv2dGeometry,
        /// Weight and bias.
        weights: W,
    },
    /// Matrix product, weight [out, in].
    Linear {
        /// Weight and bias.
        weights: W,
    },
    /// max(0, x).
    Relu,
    /// Largest value of a window.
    MaxPool2d(PoolGeometry),
    /// Mean of a window.
    AveragePool2d(AveragePoolGeometry),
    /// [N, C, H, W] to [N, C·H·W].
    Flatten,
    /// Logarithm of the softmax over the classes.
    LogSoftmax,
}

impl<W> Op<W> {
    /// The same operator with other parameters of the same shapes.
    ///
    /// # Errors
    /// The error of `f`.
    pub fn try_map<V, E>(&self, f: impl FnOnce(&W) -> Result<V, E>) -> Result<Op<V>, E> {
        Ok(match self {
            Self::Conv2d { geometry, weights } => Op::Conv2d {
                geometry: *geometry,
                weights: f(weights)?,
            },
            Self::Linear { weights } => Op::Linear {
                weights: f(weights)?,
            },
            Self::Relu => Op::Relu,
            Self::MaxPool2d(geometry) => Op::MaxPool2d(*geometry),
            Self::AveragePool2d(geometry) => Op::AveragePool2d(*geometry),
            Self::Flatten => Op::Flatten,
            Self::LogSoftmax => Op::LogSoftmax,
        })
    }
}

/// A named operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer<W> {
    /// Unique in the network.
    pub name: String,
    /// What it computes.
    pub op: Op<W>,
}

impl<W> Layer<W> {
    /// What a weighted layer carries.
    pub fn weights(&self) -> Option<&W> {
        match &self.op {
            Op::Conv2d { weights, .. } | Op::Linear { weights } => Some(weights),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub fn weights_mut(&mut self) -> Option<&mut W> {
        match &mut self.op {
            Op::Conv2d { weights, .. } | Op::Linear { weights } => Some(weights),
            _ => None,
        }
    }

    fn try_map<V, E>(&self, f: impl FnOnce(&str, &W) -> Result<V, E>) -> Result<Layer<V>, E> {
        Ok(Layer {
            name: self.name.clone(),
            op: self.op.try_map(|weights| f(&self.name, weights))?,
        })
    }
}

/// The shapes of a weighted layer's parameters, whatever their type.
pub trait WeightShape {
    /// OIHW of a convolution, [out, in] of a linear layer.
    fn weight_shape(&self) -> &[usize];
    /// How many values the bias has, if there is one.
    fn bias_len(&self) -> Option<usize>;
}

/// Float parameters of a weighted layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights<E> {
    /// OIHW of a convolution, [out, in] of a linear layer.
    pub weight: Tensor<E>,
    /// One value an output channel.
    pub bias: Option<Vec<E>>,
}

impl<E: Copy> WeightShape for Weights<E> {
    fn weight_shape(&self) -> &[usize] {
        self.weight.shape()
    }
    fn bias_len(&self) -> Option<usize> {
        self.bias.as_ref().map(Vec::len)
    }
}

/// A chain of layers whose shapes are known to fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Network<W> {
    name: String,
    input: InputSpec,
    layers: Vec<Layer<W>>,
    shapes: Vec<Vec<usize>>,
}

impl<W: WeightShape> Network<W> {
    /// Layers in the order in which they run.
    ///
    /// # Errors
    /// An input without values, two layers of one name, or the first layer whose shapes do not
    /// fit or whose output has no values.
    pub fn new(
        name: impl Into<String>,
        input: InputSpec,
        layers: Vec<Layer<W>>,
    ) -> Result<Self, ShapeError> {
        let name = name.into();
        if input.shape.contains(&0) {
            return Err(ShapeError::Geometry(format!(
                "network {name}: an input {:?} has no values",
                input.shape
            )));
        }
        let mut shapes: Vec<Vec<usize>> = Vec::with_capacity(layers.len());
        for (i, layer) in layers.iter().enumerate() {
            let [c, h, w] = input.shape;
            let shape = shapes.last().cloned().unwrap_or(vec![1, c, h, w]);
            let next = if layers[..i].iter().any(|earlier| earlier.name == layer.name) {
                Err(ShapeError::Geometry(
                    "an earlier layer has this name".into(),
                ))
            } else {
                output_shape(&layer.op, &shape).and_then(with_values)
            };
            shapes.push(next.map_err(|source| ShapeError::Layer {
                network: name.clone(),
                layer: layer.name.clone(),
                source: Box::new(source),
            })?);
        }
        Ok(Self {
            name,
            input,
            layers,
            shapes,
        })
    }
}

impl<W> Network<W> {
    /// The network's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The images that it takes.
    pub fn input(&self) -> &InputSpec {
        &self.input
    }

    /// The layers in the order in which they run.
    pub fn layers(&self) -> &[Layer<W>] {
        &self.layers
    }

    /// The output shape of each layer for one image, first axis 1.
    pub fn shapes(&self) -> &[Vec<usize>] {
        &self.shapes
    }

    /// The weighted layers, in order, with their names.
    pub fn weighted(&self) -> impl Iterator<Item = (&str, &W)> {
        (self.layers.iter()).filter_map(|l| Some((l.name.as_str(), l.weights()?)))
    }

    /// The same layers with other parameters of the same shapes; `f` is called
    /// in the order of the layers.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map_weights<V, E>(
        &self,
        mut f: impl FnMut(&str, &W) -> Result<V, E>,
    ) -> Result<Network<V>, E> {
        Ok(Network {
            name: self.name.clone(),
            input: self.input.clone(),
            layers: (self.layers.iter())
                .map(|layer| layer.try_map(&mut f))
                .collect::<Result<_, E>>()?,
            shapes: self.shapes.clone(),
        })
    }
}

impl Network<Weights<f32>> {
    /// The same network in another float type; exact for f64.
    pub fn cast<E: Element>(&self) -> Network<Weights<E>> {
        let cast = self.try_map_weights(|_, w| {
            Ok::<_, std::convert::Infallible>(Weights {
                weight: w.weight.map(E::from_f32),
                bias: (w.bias.as_ref()).map(|b| b.iter().map(|&b| E::from_f32(b)).collect()),
            })
        });
        match cast {
            Ok(network) => network,
        }
    }
}

impl<E: Element> Network<Weights<E>> {
    /// The output for a batch [N, C, H, W].
    ///
    /// # Errors
    /// The batch is not of the network's input shape.
    pub fn forward(&self, input: &Tensor<E>) -> Result<Tensor<E>, ShapeError> {
        let mut x = input.clone();
        for layer in &self.layers {
            x = apply(&layer.op, &x)?;
        }
        Ok(x)
    }

    /// The output of every layer for a batch [N, C, H, W].
    ///
    /// # Errors
    /// The batch is not of the network's input shape.
    pub fn trace(&self, input: &Tensor<E>) -> Result<Vec<Tensor<E>>, ShapeError> {
        let mut outputs: Vec<Tensor<E>> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let next = apply(&layer.op, outputs.last().unwrap_or(input))?;
            outputs.push(next);
        }
        Ok(outputs)
    }
}

/// `O = op(I)` in floats.
///
/// # Errors
/// Shapes that do not fit.
pub fn apply<E: Element>(op: &Op<Weights<E>>, input: &Tensor<E>) -> Result<Tensor<E>, ShapeError> {
    match op {
        Op::Conv2d { geometry, weights } => {
            ops::conv2d(input, &weights.weight, weights.bias.as_deref(), geometry)
        }
        Op::Linear { weights } => ops::linear(input, &weights.weight, weights.bias.as_deref()),
        Op::Relu => Ok(ops::relu(input)),
        Op::MaxPool2d(geometry) => ops::max_pool2d(input, geometry),
        Op::AveragePool2d(geometry) => ops::average_pool2d(input, geometry),
        Op::Flatten => ops::flatten(input.clone()),
        Op::LogSoftmax => ops::log_softmax(input),
    }
}

/// An output that is none would be a network that computes nothing.
fn with_values(shape: Vec<usize>) -> Result<Vec<usize>, ShapeError> {
    match shape.contains(&0) {
        true => Err(ShapeError::Geometry(format!(
            "an output {:?} has no values",
            &shape[1..]
        ))),
        false => Ok(shape),
    }
}

/// The shape that an operator makes of `input`.
fn output_shape<W: WeightShape>(op: &Op<W>, input: &[usize]) -> Result<Vec<usize>, ShapeError> {
    match op {
        Op::Conv2d { geometry, weights } => {
            let shape = geometry.output_shape(input, weights.weight_shape())?;
            ops::check_bias(weights.bias_len(), shape[1])?;
            Ok(shape.to_vec())
        }
        Op::Linear { weights } => {
            let shape = ops::linear_shape(input, weights.weight_shape())?;
            ops::check_bias(weights.bias_len(), shape[1])?;
            Ok(shape.to_vec())
        }
        Op::Relu => Ok(input.to_vec()),
        Op::MaxPool2d(geometry) => Ok(geometry.output_shape(input)?.to_vec()),
        Op::AveragePool2d(geometry) => Ok(geometry.window.output_shape(input)?.to_vec()),
        Op::Flatten => Ok(ops::flat_shape(input)?.to_vec()),
        Op::LogSoftmax => {
            let [n, classes] = crate::geometry::rank::<2>("input of log-softmax", input)?;
            Ok(vec![n, classes])
        }
    }
}
