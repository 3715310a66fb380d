//! One step of a run.

use pulp::Simd;
use quant::scheme::QuantParams;
use reference::geometry::rank;
use reference::ops::log_softmax;
use reference::{Op, ShapeError, Tensor, Weights};

use super::codes::round_trips;
use super::lanes::{pack, unpack};
use super::pad::Pad;
use super::pool::{Average, Windows};
use super::sums::Sums;

/// What is done to all values of some images. Flattening is none: the values are in its order.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// To codes and back.
    RoundTrip(QuantParams),
    Pad(Pad),
    Sums(Sums),
    Relu,
    MaxPool(Windows),
    AveragePool(Average),
    LogSoftmax,
}

impl Step {
    /// The steps of an operator; `input` is the shape of one image there, without N.
    pub(super) fn of(op: &Op<Weights<f32>>, input: &[usize]) -> Result<Vec<Self>, ShapeError> {
        let maps = || rank::<3>("input maps (CHW)", input);
        Ok(match op {
            Op::Conv2d { geometry, weights } => {
                let pad = Pad {
                    input: maps()?,
                    padding: geometry.padding,
                };
                let sums = Self::Sums(Sums::conv2d(weights, geometry, pad.output())?);
                match pad.padding {
                    [0, 0] => vec![sums],
                    _ => vec![Self::Pad(pad), sums],
                }
            }
            Op::Linear { weights } => vec![Self::Sums(Sums::linear(weights))],
            Op::Relu => vec![Self::Relu],
            Op::MaxPool2d(geometry) => vec![Self::MaxPool(Windows::new(geometry, maps()?)?)],
            Op::AveragePool2d(geometry) => {
                vec![Self::AveragePool(Average::new(geometry, maps()?)?)]
            }
            Op::Flatten => vec![],
            Op::LogSoftmax => vec![Self::LogSoftmax],
        })
    }

    #[inline(always)]
    pub(super) fn run<S: Simd>(
        &self,
        simd: S,
        mut values: Vec<S::f32s>,
    ) -> Result<Vec<S::f32s>, ShapeError> {
        match self {
            Self::RoundTrip(params) => round_trips(simd, params, &mut values),
            Self::Pad(pad) => values = pad.run(simd, &values),
            Self::Sums(sums) => values = sums.run(simd, &values),
            Self::Relu => relu(simd, &mut values),
            Self::MaxPool(windows) => values = windows.max(simd, &values),
            Self::AveragePool(average) => values = average.run(simd, &values),
            Self::LogSoftmax => {
                let mut rows = vec![0.0; S::F32_LANES * values.len()];
                unpack::<S>(&values, &mut rows);
                let rows = Tensor::new(&[S::F32_LANES, values.len()], rows)?;
                values = pack(simd, &log_softmax(&rows)?, 0, S::F32_LANES);
            }
        }
        Ok(values)
    }
}

/// NaN stays NaN.
#[inline(always)]
fn relu<S: Simd>(simd: S, values: &mut [S::f32s]) {
    let zero = simd.splat_f32s(0.0);
    for value in values {
        *value = simd.select_f32s(simd.less_than_f32s(*value, zero), zero, *value);
    }
}
