//! Weights and shapes made ready for the kernels, once.
//!
//! ```text
//! OIHW codes            packed rows, int16, one an output channel
//! W[o, c, ky, kx]  ->   o: | c0k00 c0k01 … c0k44 c1k00 … |   K = (C/G)·kh·kw
//! ```
//! A row meets a patch of the image in the same order (im2col), so that an
//! accumulator is the dot product of two contiguous int16 rows.

use quant::{QuantError, accumulator};
use reference::geometry::rank;
use reference::ops::AveragePoolGeometry;
use reference::{Conv2dGeometry, PoolGeometry, ShapeError, Tensor, Window};

/// Rows of weights and their biases.
#[derive(Clone, Debug)]
pub struct PackedRows {
    /// Output channels times [`PackedRows::len`].
    pub weights: Vec<i16>,
    /// K, the length of a row.
    pub len: usize,
    /// One an output channel; zeros where the layer has none.
    pub bias: Vec<i32>,
}

impl PackedRows {
    fn new(
        weight: &Tensor<i8>,
        bias: Option<&[i32]>,
        largest_code: i64,
    ) -> Result<Self, QuantError> {
        let outputs = weight.shape()[0];
        accumulator::reach(weight, bias, largest_code)?;
        Ok(Self {
            weights: weight.data().iter().copied().map(i16::from).collect(),
            len: weight.item_len(),
            bias: bias.map_or(vec![0; outputs], <[i32]>::to_vec),
        })
    }

    /// The weights of one output channel.
    pub fn row(&self, output: usize) -> &[i16] {
        &self.weights[output * self.len..][..self.len]
    }
}

/// A convolution for one image shape.
#[derive(Clone, Debug)]
pub struct PackedConv2d {
    /// One row an output channel.
    pub rows: PackedRows,
    /// [C, H, W].
    pub input: [usize; 3],
    /// [O, H', W'].
    pub output: [usize; 3],
    /// Along rows and columns.
    pub windows: [Window; 2],
    /// Groups.
    pub groups: usize,
}

impl PackedConv2d {
    /// Packs OIHW codes for images [C, H, W] whose codes are at most `largest_code`
    /// in size.
    ///
    /// # Errors
    /// Shapes that do not fit, or sums that could overflow int32.
    pub fn new(
        weight: &Tensor<i8>,
        bias: Option<&[i32]>,
        geometry: &Conv2dGeometry,
        input: [usize; 3],
        largest_code: i64,
    ) -> Result<Self, QuantError> {
        let [c, h, w] = input;
        let [_, o, out_h, out_w] = geometry.output_shape(&[1, c, h, w], weight.shape())?;
        let [_, _, kh, kw] = rank::<4>("convolution weight (OIHW)", weight.shape())?;
        Ok(Self {
            rows: PackedRows::new(weight, bias, largest_code)?,
            input,
            output: [o, out_h, out_w],
            windows: geometry.windows([kh, kw]),
            groups: geometry.groups,
        })
    }
}

/// A matrix product.
#[derive(Clone, Debug)]
pub struct PackedLinear {
    /// One row an output.
    pub rows: PackedRows,
}

impl PackedLinear {
    /// Packs [out, in] codes for features that are at most `largest_code` in size.
    ///
    /// # Errors
    /// The weight is not [out, in], the bias has another length, or sums could
    /// overflow int32.
    pub fn new(
        weight: &Tensor<i8>,
        bias: Option<&[i32]>,
        largest_code: i64,
    ) -> Result<Self, QuantError> {
        rank::<2>("weight of a linear layer ([out, in])", weight.shape())?;
        Ok(Self {
            rows: PackedRows::new(weight, bias, largest_code)?,
        })
    }
}

/// Max-pooling for one image shape.
#[derive(Clone, Copy, Debug)]
pub struct PoolPlan {
    /// [C, H, W].
    pub input: [usize; 3],
    /// [C, H', W'].
    pub output: [usize; 3],
    /// Along rows and columns.
    pub windows: [Window; 2],
}

impl PoolPlan {
    /// The plan for images [C, H, W].
    ///
    /// # Errors
    /// The window does not fit.
    pub fn new(geometry: &PoolGeometry, input: [usize; 3]) -> Result<Self, ShapeError> {
        let [c, h, w] = input;
        let [_, _, out_h, out_w] = geometry.output_shape(&[1, c, h, w])?;
        Ok(Self {
            input,
            output: [c, out_h, out_w],
            windows: geometry.windows(),
        })
    }
}

/// Average pooling for one image shape.
#[derive(Clone, Copy, Debug)]
pub struct AveragePoolPlan {
    /// Where the windows lie.
    pub pool: PoolPlan,
    /// Whether padding counts as zeros.
    pub count_include_pad: bool,
}

impl AveragePoolPlan {
    /// The plan for images [C, H, W].
    ///
    /// # Errors
    /// The window does not fit.
    pub fn new(geometry: &AveragePoolGeometry, input: [usize; 3]) -> Result<Self, ShapeError> {
        Ok(Self {
            pool: PoolPlan::new(&geometry.window, input)?,
            count_include_pad: geometry.count_include_pad,
        })
    }
}
