//! The arithmetic of the device on the codes of [`sq8`].
//!
//! ```text
//! acc = Bq + Σ Xq·Wq                                 int32
//! y   = clip8(scale(acc)),  scale(a) = (a·S + 2^(N−1)) >> N, a channel each
//! max pool: of y;  average pool: clip8(mean(y))
//! ReLU:  clip8(max(z, y)),  z the code of 0
//! ```
//!
//! A fusion with a pool runs as written: scale and clip, pool, ReLU. One without applies the
//! ReLU to what scale gives, and clips once.

use reference::ops::{AveragePoolGeometry, conv2d_sums, flatten, linear_sums, max_pool2d};
use reference::{Layer, Op, ShapeError, Tensor};

use super::Rearrange;
use super::run::Arithmetic;
use super::weights::gathered;
use crate::Rounding;
use crate::sq8::{self, Sq8Weights};

impl Rearrange for Sq8Weights {
    fn rearranged(&self, shape: &[usize], sources: &[usize]) -> Result<Self, ShapeError> {
        Ok(Self {
            codes: gathered(&self.codes, shape, sources)?,
            ..self.clone()
        })
    }
}

/// The device, where every ReLU reads and writes codes of one zero point.
#[derive(Clone, Copy, Debug)]
pub struct Sq8 {
    /// z: −128 where the ReLUs' codes have a zero point, else 0.
    pub zero_point: i8,
}

impl Sq8 {
    /// `scale(acc)` of a filter, before it is clipped; `None` of any other operator.
    fn scaled(
        &self,
        op: &Op<Sq8Weights>,
        input: &Tensor<i8>,
    ) -> Result<Option<Tensor<i32>>, ShapeError> {
        let (weights, acc) = match op {
            Op::Conv2d { geometry, weights } => {
                check(weights)?;
                let bias = Some(&weights.bias[..]);
                (weights, conv2d_sums(input, &weights.codes, bias, geometry)?)
            }
            Op::Linear { weights } => {
                check(weights)?;
                let bias = Some(&weights.bias[..]);
                (weights, linear_sums(input, &weights.codes, bias)?)
            }
            _ => return Ok(None),
        };
        Ok(Some(acc.map_along(1, |channel, acc| {
            weights.scales[channel].apply(acc, Rounding::HalfUp)
        })))
    }

    /// `max(z, y)`, before it is clipped.
    fn relu(&self, y: i32) -> i32 {
        y.max(self.zero_point.into())
    }
}

/// Weights that are made by hand can be anything.
fn check(weights: &Sq8Weights) -> Result<(), ShapeError> {
    let channels = weights.codes.shape().first().copied().unwrap_or(0);
    for (what, got) in [
        ("scales of output channels", weights.scales.len()),
        ("values of the bias", weights.bias.len()),
    ] {
        if got != channels {
            let expected = channels;
            return Err(ShapeError::Mismatch {
                what,
                expected,
                got,
            });
        }
    }
    match (0..channels).find(|&channel| weights.reach(channel) > i64::from(i32::MAX)) {
        Some(channel) => Err(ShapeError::Geometry(format!(
            "the accumulators of output channel {channel} can leave int32"
        ))),
        None => Ok(()),
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
        if let Some(scaled) = self.scaled(op, input)? {
            return Ok(scaled.map(clip8));
        }
        match op {
            Op::Relu => Ok(input.map(|code| clip8(self.relu(code.into())))),
            Op::MaxPool2d(geometry) => max_pool2d(input, geometry),
            Op::AveragePool2d(geometry) => average_pool2d(input, geometry),
            Op::Flatten => flatten(input.clone()),
            // A filter has returned.
            Op::Conv2d { .. } | Op::Linear { .. } | Op::LogSoftmax => Err(ShapeError::Geometry(
                "a log-softmax has no codes; leave it out at the end of the network".into(),
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
            && let Some(scaled) = self.scaled(&filter.op, input)?
        {
            return Ok(scaled.map(|y| clip8(self.relu(y))));
        }
        // The pool's kernel applies the ReLU, wherever it stood.
        let (relus, others): (Vec<_>, Vec<_>) =
            (layers.iter()).partition(|layer| matches!(layer.op, Op::Relu));
        (others.into_iter().chain(relus)).try_fold(input.clone(), |codes, layer| {
            self.apply(&layer.name, &layer.op, &codes)
        })
    }
}

fn clip8(y: i32) -> i8 {
    // Within int8, by the clamp.
    y.clamp(i8::MIN.into(), i8::MAX.into()) as i8
}

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
        // A mean of codes is a code.
        |sum, places| clip8(sq8::mean(sum, places as i64) as i32),
    )
}
