//! Convolution and matrix product: one loop.
//!
//! ```text
//! O[o, p] = β[o] + Σ_t W[o, t] · I[first(p) + offset(t)]        in the order of t
//! ```
//! Position p of a convolution is (y, x) and tap t is (c, ky, kx); a matrix product has one
//! position and a tap for each input. A tile of several outputs at several positions is summed
//! in registers: every value that is loaded is used more than once, and sums that do not wait
//! for each other fill the time that an addition takes.

use std::ops::Range;

use pulp::Simd;
use reference::geometry::rank;
use reference::{Conv2dGeometry, ShapeError, Weights};

/// Positions of a tile, with many registers and with few.
const POSITIONS: [usize; 2] = [4, 2];
/// Registers that a tile of four outputs at four positions fits in.
const MANY_REGISTERS: usize = 32;

/// A weighted layer for one shape of maps.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    outputs: usize,
    /// Where each position's window begins, in the first channel.
    first: Vec<usize>,
    /// Where each tap lies from there.
    offsets: Vec<usize>,
    blocks: Vec<Block>,
}

/// Neighbouring outputs that are summed together.
#[derive(Clone, Debug)]
struct Block {
    outputs: Range<usize>,
    /// Where the channels begin that they read.
    start: usize,
    /// [t][o].
    weights: Vec<f32>,
    /// Zeros where the layer has none.
    bias: Vec<f32>,
}

impl Sums {
    /// On maps [C, H, W] that are padded already.
    pub(super) fn conv2d(
        weights: &Weights<f32>,
        geometry: &Conv2dGeometry,
        [channels, height, width]: [usize; 3],
    ) -> Result<Self, ShapeError> {
        let inside = Conv2dGeometry {
            padding: [0, 0],
            ..*geometry
        };
        let shape = weights.weight.shape();
        let [_, outputs, out_h, out_w] =
            inside.output_shape(&[1, channels, height, width], shape)?;
        let [_, group_inputs, kernel_h, kernel_w] = rank("convolution weight (OIHW)", shape)?;
        let ([stride_y, stride_x], [dilation_y, dilation_x]) = (inside.stride, inside.dilation);
        let taps = (0..group_inputs * kernel_h * kernel_w).map(|t| {
            let [c, ky, kx] = [
                t / (kernel_h * kernel_w),
                t / kernel_w % kernel_h,
                t % kernel_w,
            ];
            (c * height + ky * dilation_y) * width + kx * dilation_x
        });
        let positions =
            (0..out_h * out_w).map(|p| p / out_w * stride_y * width + p % out_w * stride_x);
        let group_outputs = outputs / geometry.groups;
        let blocks = (0..geometry.groups).flat_map(|group| {
            let outputs = group * group_outputs..(group + 1) * group_outputs;
            Block::several(weights, outputs, group * group_inputs * height * width, 4)
        });
        Ok(Self {
            outputs,
            first: positions.collect(),
            offsets: taps.collect(),
            blocks: blocks.collect(),
        })
    }

    pub(super) fn linear(weights: &Weights<f32>) -> Self {
        let outputs = weights.weight.shape()[0];
        Self {
            outputs,
            first: vec![0],
            offsets: (0..weights.weight.item_len()).collect(),
            blocks: Block::several(weights, 0..outputs, 0, 8),
        }
    }

    #[inline(always)]
    pub(super) fn run<S: Simd>(&self, simd: S, input: &[S::f32s]) -> Vec<S::f32s> {
        let mut out = vec![simd.splat_f32s(0.0); self.outputs * self.first.len()];
        match S::REGISTER_COUNT >= MANY_REGISTERS {
            _ if self.first.len() == 1 => self.tiles::<S, 1>(simd, input, &mut out),
            true => self.tiles::<S, { POSITIONS[0] }>(simd, input, &mut out),
            false => self.tiles::<S, { POSITIONS[1] }>(simd, input, &mut out),
        }
        out
    }

    /// All outputs at `P` positions, then at the next. Where fewer are left the last of them
    /// is repeated.
    #[inline(always)]
    fn tiles<S: Simd, const P: usize>(&self, simd: S, input: &[S::f32s], out: &mut [S::f32s]) {
        for tile in (0..self.first.len()).step_by(P) {
            let mut positions = [self.first.len() - 1; P];
            for (p, position) in positions.iter_mut().enumerate() {
                *position = (tile + p).min(*position);
            }
            for block in &self.blocks {
                match block.outputs.len() {
                    8 => self.tile::<S, 8, P>(simd, block, input, positions, out),
                    4 => self.tile::<S, 4, P>(simd, block, input, positions, out),
                    3 => self.tile::<S, 3, P>(simd, block, input, positions, out),
                    2 => self.tile::<S, 2, P>(simd, block, input, positions, out),
                    _ => self.tile::<S, 1, P>(simd, block, input, positions, out),
                }
            }
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const O: usize, const P: usize>(
        &self,
        simd: S,
        block: &Block,
        input: &[S::f32s],
        positions: [usize; P],
        out: &mut [S::f32s],
    ) {
        let mut sums = [[simd.splat_f32s(0.0); P]; O];
        for (sums, &bias) in sums.iter_mut().zip(&block.bias) {
            *sums = [simd.splat_f32s(bias); P];
        }
        let mut first = [block.start; P];
        for (first, position) in first.iter_mut().zip(positions) {
            *first += self.first[position];
        }
        let (weights, _) = block.weights.as_chunks::<O>();
        for (weights, offset) in weights.iter().zip(&self.offsets) {
            let mut x = [simd.splat_f32s(0.0); P];
            for p in 0..P {
                x[p] = input[first[p] + offset];
            }
            for o in 0..O {
                let weight = simd.splat_f32s(weights[o]);
                for p in 0..P {
                    sums[o][p] = simd.add_f32s(sums[o][p], simd.mul_f32s(weight, x[p]));
                }
            }
        }
        for (output, sums) in block.outputs.clone().zip(sums) {
            for (position, sum) in positions.into_iter().zip(sums) {
                out[output * self.first.len() + position] = sum;
            }
        }
    }
}

impl Block {
    /// These outputs in blocks of at most `most`.
    fn several(
        weights: &Weights<f32>,
        outputs: Range<usize>,
        start: usize,
        most: usize,
    ) -> Vec<Self> {
        let mut blocks = Vec::new();
        let mut at = outputs.start;
        while at < outputs.end {
            // A tile is compiled for each of these.
            let left = most.min(outputs.end - at);
            let width = if left > 4 && left < 8 { 4 } else { left };
            blocks.push(Self::new(weights, at..at + width, start));
            at += width;
        }
        blocks
    }

    fn new(weights: &Weights<f32>, outputs: Range<usize>, start: usize) -> Self {
        let rows: Vec<&[f32]> = outputs.clone().map(|o| weights.weight.item(o)).collect();
        Self {
            start,
            weights: (0..weights.weight.item_len())
                .flat_map(|t| rows.iter().map(move |row| row[t]))
                .collect(),
            bias: match &weights.bias {
                Some(bias) => bias[outputs.clone()].to_vec(),
                None => vec![0.0; outputs.len()],
            },
            outputs,
        }
    }
}
