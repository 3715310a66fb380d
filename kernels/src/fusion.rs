//! What the plans of both executors ask about the layers of a network.

use quant::QuantError;
use reference::{Layer, Op, PoolGeometry, ShapeError};

use crate::layout::MapShape;

/// The layers from one on that a weighted layer takes with it.
pub(crate) struct Fused {
    pub(crate) relu: bool,
    pub(crate) pool: bool,
    pub(crate) layers: usize,
}

impl Fused {
    /// ReLU and max-pool of 2 × 2 in either order: both keep the order of codes, so they may
    /// take place before or after each other and before requantization.
    pub(crate) fn new<W>(after: &[Layer<W>], may_pool: bool) -> Self {
        let mut fused = Self {
            relu: false,
            pool: false,
            layers: 0,
        };
        for layer in after.iter().take(2) {
            match &layer.op {
                Op::Relu if !fused.relu => fused.relu = true,
                Op::MaxPool2d(pool) if may_pool && !fused.pool && is_two_by_two(pool) => {
                    fused.pool = true;
                }
                _ => break,
            }
            fused.layers += 1;
        }
        fused
    }
}

fn is_two_by_two(pool: &PoolGeometry) -> bool {
    pool.kernel == [2, 2] && pool.stride == [2, 2] && pool.padding == [0, 0]
}

/// The border that the first of `readers` wants around its maps.
pub(crate) fn border<W>(readers: &[Layer<W>]) -> [usize; 2] {
    let mut readers = (readers.iter()).filter(|layer| !matches!(layer.op, Op::Relu));
    match readers.next().map(|layer| &layer.op) {
        Some(Op::Conv2d { geometry, .. }) => geometry.padding,
        _ => [0, 0],
    }
}

/// [C, H, W] of the maps that hold an output [N, C, H, W] or [N, features].
pub(crate) fn maps_of(shape: &[usize]) -> Result<[usize; 3], QuantError> {
    match *shape {
        [_, c, h, w] => Ok([c, h, w]),
        [_, features] => Ok([features, 1, 1]),
        _ => Err(ShapeError::Rank {
            what: "maps (NCHW, or N and features)",
            expected: 4,
            got: shape.to_vec(),
        }
        .into()),
    }
}

/// Which of a linear layer's features lies at `at`: maps are `[y][x][c]` where the network's
/// flatten says `[c][y][x]`.
pub(crate) fn feature(maps: MapShape, at: usize) -> usize {
    let [pixel, c] = [at / maps.channels, at % maps.channels];
    c * maps.height * maps.width + pixel
}
