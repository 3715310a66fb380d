//! The arithmetic of the device on codes, scheme SQ8.
//!
//! ```text
//! acc = B + Σ X·W                                   int32
//! y   = clip8(scale(acc)),  scale(x) = (x·S + 2^(N−1)) >> N   a channel each
//! max pool on y;  average pool clip8((Σy·⌊65536/n⌋ + 32768) >> 16), n the window's places
//! ReLU  clip8(max(z, y)),  z the code of 0
//! ```
//!
//! A fusion with a pool runs as written: scale and clip, pool, ReLU. One without a pool applies
//! the ReLU to what scale gives before it is clipped, once. Codes are as they are, with their
//! zero points: B holds what those of the input and of the output add.

use reference::ops::{AveragePoolGeometry, conv2d_sums, flatten, linear_sums, max_pool2d};
use reference::{Layer, Op, ShapeError, Tensor, WeightShape};

use super::Rearrange;
use super::run::Arithmetic;
use super::weights::gathered;
use crate::accumulator::{LARGEST_CODE, reach};
use crate::contracts::sq8::Sq8Scale;
use crate::{QuantError, Rounding};

/// The parameters of a filter on the device.
#[derive(Clone, Debug, PartialEq)]
pub struct Sq8Weights {
    weight: Tensor<i8>,
    bias: Vec<i32>,
    scales: Vec<Sq8Scale>,
}

impl Sq8Weights {
    /// Weight codes, and a bias and a scale for each output channel.
    ///
    /// # Errors
    /// Another number of biases or scales than of output channels, or an accumulator that could
    /// leave int32.
    pub fn new(
        weight: Tensor<i8>,
        bias: Vec<i32>,
        scales: Vec<Sq8Scale>,
    ) -> Result<Self, QuantError> {
        reach(&weight, Some(&bias), LARGEST_CODE)?;
        if scales.len() != bias.len() {
            return Err(QuantError::Shape(ShapeError::Mismatch {
                what: "scales of output channels",
                expected: bias.len(),
                got: scales.len(),
            }));
        }
        Ok(Self {
            weight,
            bias,
            scales,
        })
    }

    /// The weight's codes.
    pub fn weight(&self) -> &Tensor<i8> {
        &self.weight
    }

    /// One an output channel.
    pub fn bias(&self) -> &[i32] {
        &self.bias
    }

    /// One an output channel.
    pub fn scales(&self) -> &[Sq8Scale] {
        &self.scales
    }

    /// `scale(acc)`, before it is clipped.
    fn scaled(&self, acc: &Tensor<i32>) -> Tensor<i32> {
        acc.map_along(1, |channel, acc| {
            self.scales[channel].apply(acc, Rounding::HalfUp)
        })
    }
}

impl WeightShape for Sq8Weights {
    fn weight_shape(&self) -> &[usize] {
        self.weight.shape()
    }
    fn bias_len(&self) -> Option<usize> {
        Some(self.bias.len())
    }
}

impl Rearrange for Sq8Weights {
    fn rearranged(&self, shape: &[usize], sources: &[usize]) -> Result<Self, ShapeError> {
        Ok(Self {
            weight: gathered(&self.weight, shape, sources)?,
            ..self.clone()
        })
    }
}

/// The device, for one code of 0.
#[derive(Clone, Copy, Debug)]
pub struct Sq8 {
    /// z of what the ReLUs read and write: −128 where their range is asymmetric, else 0.
    pub zero_point: i8,
}

impl Sq8 {
    /// `scale(acc)` of a filter, before it is clipped; `None` of any other operator.
    fn filter(
        &self,
        op: &Op<Sq8Weights>,
        input: &Tensor<i8>,
    ) -> Result<Option<Tensor<i32>>, ShapeError> {
        Ok(match op {
            Op::Conv2d { geometry, weights } => {
                let acc = conv2d_sums(input, &weights.weight, Some(&weights.bias), geometry)?;
                Some(weights.scaled(&acc))
            }
            Op::Linear { weights } => {
                let acc = linear_sums(input, &weights.weight, Some(&weights.bias))?;
                Some(weights.scaled(&acc))
            }
            _ => None,
        })
    }

    /// `max(z, x)`, before it is clipped.
    fn relu(&self, x: i32) -> i32 {
        x.max(self.zero_point.into())
    }
}

impl Arithmetic<Sq8Weights> for Sq8 {
    type Value = i8;

    fn apply(
        &self,
        _: &str,
        op: &Op<Sq8Weights>,
        input: &Tensor<i8>,
    ) -> Result<Tensor<i8>, ShapeError> {
        if let Some(scaled) = self.filter(op, input)? {
            return Ok(scaled.map(clip8));
        }
        match op {
            Op::Relu => Ok(input.map(|code| clip8(self.relu(code.into())))),
            Op::MaxPool2d(geometry) => max_pool2d(input, geometry),
            Op::AveragePool2d(geometry) => average_pool2d(input, geometry),
            Op::Flatten => flatten(input.clone()),
            // A filter has returned.
            Op::Conv2d { .. } | Op::Linear { .. } | Op::LogSoftmax => Err(ShapeError::Geometry(
                "log-softmax has no SQ8 kernel; leave it out at the end of the network".into(),
            )),
        }
    }

    fn fused(
        &self,
        layers: &[Layer<Sq8Weights>],
        input: &Tensor<i8>,
    ) -> Result<Tensor<i8>, ShapeError> {
        if let [filter, relu] = layers
            && matches!(relu.op, Op::Relu)
            && let Some(scaled) = self.filter(&filter.op, input)?
        {
            return Ok(scaled.map(|x| clip8(self.relu(x))));
        }
        // Scaled and clipped; then the pool's kernel, which applies the ReLU too.
        let (relus, others): (Vec<_>, Vec<_>) =
            (layers.iter()).partition(|layer| matches!(layer.op, Op::Relu));
        (others.into_iter().chain(relus)).try_fold(input.clone(), |codes, layer| {
            self.apply(&layer.name, &layer.op, &codes)
        })
    }
}

fn clip8(x: i32) -> i8 {
    // Within int8, by the clamp.
    x.clamp(i8::MIN.into(), i8::MAX.into()) as i8
}

/// `clip8((S·⌊65536/n⌋ + 32768) >> 16)`, S the sum of a window's codes.
fn average_pool2d(
    input: &Tensor<i8>,
    geometry: &AveragePoolGeometry,
) -> Result<Tensor<i8>, ShapeError> {
    if geometry.window.padding != [0, 0] {
        return Err(ShapeError::Geometry(
            "what the device's average pool makes of padding is not known".into(),
        ));
    }
    geometry.pool(
        input,
        0i64,
        |sum, code| sum + i64::from(code),
        |sum, places| {
            let mean = (sum * (65536 / places as i64) + 32768) >> 16;
            // No more than the codes: at most 128 · places · 65536 / places.
            clip8(mean as i32)
        },
    )
}
