//! Codes to accumulators: `Σ (q − z_I)(w − z_W) + β_q`.

use std::fmt;
use std::sync::Arc;

use reference::ops::{conv2d_sums, linear_sums};
use reference::{Conv2dGeometry, ShapeError, Tensor};

use super::Values;

/// The sums of a weighted layer.
#[derive(Clone, Debug)]
pub struct Accumulate {
    /// Of a convolution; a linear layer has none.
    pub geometry: Option<Conv2dGeometry>,
    /// W_q: OIHW of a convolution, [out, in] of a linear layer.
    pub weight: Tensor<i32>,
    /// z_W, one an output channel.
    pub weight_zero_points: Vec<i32>,
    /// β_q, one an output channel.
    pub bias: Vec<i64>,
    /// z_I.
    pub input_zero_point: i32,
    /// The code in padded positions.
    pub padding: i32,
    /// How the sum is kept.
    pub accumulator: Accumulator,
}

/// How products are summed.
#[derive(Clone)]
pub enum Accumulator {
    /// In as many bits as it takes.
    Exact,
    /// By a function of the output channel and of the exact sum.
    OfSum(Arc<dyn Fn(usize, i64) -> i64 + Send + Sync>),
    /// By a function of the products of one output, in the order (c, ky, kx), and its bias.
    Other(Sum),
}

/// From the products of one output and its bias to their sum.
pub type Sum = Arc<dyn Fn(&[Term], i64) -> i64 + Send + Sync>;

impl fmt::Debug for Accumulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exact => "Exact",
            Self::OfSum(_) => "OfSum",
            Self::Other(_) => "Other",
        })
    }
}

/// One product of an output: codes and their zero points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// q, the padding's code outside of the image.
    pub input: i32,
    /// z_I.
    pub input_zero_point: i32,
    /// w.
    pub weight: i32,
    /// z_W.
    pub weight_zero_point: i32,
    /// Which input it is: channel, row, column (index, 0, 0 of a linear layer); of a padded
    /// position none.
    pub at: Option<[usize; 3]>,
    /// The tap: channel of the group, kernel row, kernel column.
    pub tap: [usize; 3],
}

impl Term {
    /// `(q − z_I)(w − z_W)`.
    pub fn product(&self) -> i64 {
        i64::from(self.input - self.input_zero_point)
            * i64::from(self.weight - self.weight_zero_point)
    }
}

impl Accumulate {
    /// How many output channels it has.
    pub fn outputs(&self) -> usize {
        self.weight.shape().first().copied().unwrap_or(0)
    }

    /// Whether windows reach beyond the image.
    pub fn is_padded(&self) -> bool {
        (self.geometry).is_some_and(|geometry| geometry.padding != [0, 0])
    }

    /// Whether both are seen to be the same sums.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.has_numbers_of(other)
            && matches!(
                (&self.accumulator, &other.accumulator),
                (Accumulator::Exact, Accumulator::Exact)
            )
    }

    /// Whether both sum the same products, however the sum is kept.
    pub fn has_numbers_of(&self, other: &Self) -> bool {
        self.geometry == other.geometry
            && self.weight == other.weight
            && self.weight_zero_points == other.weight_zero_points
            && self.bias == other.bias
            && self.input_zero_point == other.input_zero_point
            && (self.padding == other.padding || !self.is_padded())
    }

    pub(super) fn run(&self, input: &Values) -> Result<Values, ShapeError> {
        match &self.accumulator {
            Accumulator::Exact => self.exact(input),
            Accumulator::OfSum(narrow) => {
                let sums = self.exact(input)?;
                Ok(sums.map_along(1, |o, sum| narrow(o, sum as i64) as f64))
            }
            Accumulator::Other(sum) => {
                let shape = self.output_shape(input.shape())?;
                let mut sums = Tensor::full(&shape, 0.0)?;
                for at in 0..sums.data().len() {
                    let position = sums.position(at);
                    let terms = self.terms(input, &position);
                    sums.data_mut()[at] = sum(&terms, self.bias[position[1]]) as f64;
                }
                Ok(sums)
            }
        }
    }

    /// The shape of the sums.
    ///
    /// # Errors
    /// An input that does not fit.
    pub fn output_shape(&self, input: &[usize]) -> Result<Vec<usize>, ShapeError> {
        Ok(match &self.geometry {
            Some(geometry) => geometry.output_shape(input, self.weight.shape())?.to_vec(),
            None => reference::ops::linear_shape(input, self.weight.shape())?.to_vec(),
        })
    }

    fn exact(&self, input: &Values) -> Result<Values, ShapeError> {
        let weight =
            (self.weight).map_along(0, |o, code| f64::from(code - self.weight_zero_points[o]));
        let bias: Vec<f64> = self.bias.iter().map(|&bias| bias as f64).collect();
        let z = f64::from(self.input_zero_point);
        let shifted = input.map(|code| code - z);
        match &self.geometry {
            Some(geometry) => {
                // A padded position adds 0 where its code is the zero point.
                let (padded, geometry) = match self.padding == self.input_zero_point {
                    true => (shifted, *geometry),
                    false => pad(
                        &shifted,
                        geometry,
                        f64::from(self.padding - self.input_zero_point),
                    )?,
                };
                conv2d_sums(&padded, &weight, Some(&bias), &geometry)
            }
            None => linear_sums(&shifted, &weight, Some(&bias)),
        }
    }

    /// The products of the output at `position` [n, o, y, x] (or [n, o]), in the order
    /// (c, ky, kx).
    ///
    /// The position must be one of the output's.
    pub fn terms(&self, input: &Values, position: &[usize]) -> Vec<Term> {
        let o = position[1];
        let zero_points = |input: i32, weight: i32, at, tap| Term {
            input,
            input_zero_point: self.input_zero_point,
            weight,
            weight_zero_point: self.weight_zero_points[o],
            at,
            tap,
        };
        let row = self.weight.item(o);
        let image = input.item(position[0]);
        let (Some(geometry), [_, channels, kernel_h, kernel_w]) =
            (&self.geometry, self.weight.shape())
        else {
            return (row.iter().zip(image).enumerate())
                .map(|(i, (&w, &q))| zero_points(q as i32, w, Some([i, 0, 0]), [i, 0, 0]))
                .collect();
        };
        let (height, width) = (input.shape()[2], input.shape()[3]);
        let [rows, columns] = geometry.windows([*kernel_h, *kernel_w]);
        let first = o / (self.outputs() / geometry.groups) * channels;
        let mut terms = Vec::with_capacity(row.len());
        for (k, &w) in row.iter().enumerate() {
            let tap = [
                k / (kernel_h * kernel_w),
                k / kernel_w % kernel_h,
                k % kernel_w,
            ];
            let inside = rows
                .input_at(position[2], tap[1], height)
                .zip(columns.input_at(position[3], tap[2], width));
            let channel = first + tap[0];
            terms.push(match inside {
                Some((y, x)) => {
                    let code = image[(channel * height + y) * width + x] as i32;
                    zero_points(code, w, Some([channel, y, x]), tap)
                }
                None => zero_points(self.padding, w, None, tap),
            });
        }
        terms
    }
}

/// The image with `value` around it, and the geometry that then needs no padding.
fn pad(
    input: &Values,
    geometry: &Conv2dGeometry,
    value: f64,
) -> Result<(Values, Conv2dGeometry), ShapeError> {
    let [n, c, h, w] = reference::geometry::rank("input of a convolution", input.shape())?;
    let [top, left] = geometry.padding;
    let mut padded = Tensor::full(&[n, c, h + 2 * top, w + 2 * left], value)?;
    for image in 0..n {
        for channel in 0..c {
            for y in 0..h {
                for x in 0..w {
                    padded[[image, channel, y + top, x + left]] = input[[image, channel, y, x]];
                }
            }
        }
    }
    let padding = [0, 0];
    Ok((
        padded,
        Conv2dGeometry {
            padding,
            ..*geometry
        },
    ))
}
