//! Orders of axes.
//!
//! `Y = transpose(X, axes)`: axis a of Y is axis `axes[a]` of X.

use std::fmt;

use reference::geometry::rank;
use reference::{ShapeError, Tensor};

/// An axis of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// Channel.
    C,
    /// Row.
    H,
    /// Column.
    W,
}

/// The order in which a map is stored, last axis fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout([Axis; 3]);

impl Layout {
    /// Channels first: ONNX, PyTorch, the AutoTiler's kernels.
    pub const CHW: Self = Self([Axis::C, Axis::H, Axis::W]);
    /// Channels last: TFLite, the NE16 accelerator.
    pub const HWC: Self = Self([Axis::H, Axis::W, Axis::C]);

    /// This order; `None` if an axis is missing.
    pub fn new(axes: [Axis; 3]) -> Option<Self> {
        let all = [Axis::C, Axis::H, Axis::W];
        all.iter()
            .all(|axis| axes.contains(axis))
            .then_some(Self(axes))
    }

    /// The six orders.
    pub fn all() -> impl Iterator<Item = Self> {
        let axes = [Axis::C, Axis::H, Axis::W];
        axes.into_iter()
            .flat_map(move |a| axes.map(|b| axes.map(|c| [a, b, c])))
            .flatten()
            .filter_map(Self::new)
    }

    /// The axes, slowest first.
    pub fn axes(self) -> [Axis; 3] {
        self.0
    }

    /// For each axis of `to`, which axis of this order it is.
    pub fn axes_to(self, to: Self) -> [usize; 3] {
        // Both hold every axis.
        (to.0).map(|axis| self.0.iter().position(|&own| own == axis).unwrap_or(0))
    }

    /// A shape in this order, in the order `to`.
    pub fn shape_to(self, to: Self, shape: [usize; 3]) -> [usize; 3] {
        self.axes_to(to).map(|axis| shape[axis])
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for axis in self.0 {
            f.write_str(match axis {
                Axis::C => "c",
                Axis::H => "h",
                Axis::W => "w",
            })?;
        }
        Ok(())
    }
}

/// Where each value of the transposed array lies in an array of `shape`, row-major.
pub(super) fn sources(shape: &[usize], axes: &[usize]) -> Vec<usize> {
    axes.iter().fold(vec![0], |starts, &axis| {
        let stride: usize = shape[axis + 1..].iter().product();
        (starts.iter())
            .flat_map(|start| (0..shape[axis]).map(move |at| start + at * stride))
            .collect()
    })
}

/// The axes of [`sources`] where the first axis stays and the others go from order to order.
pub(super) fn behind_first(from: Layout, to: Layout) -> [usize; 4] {
    let [a, b, c] = from.axes_to(to);
    [0, a + 1, b + 1, c + 1]
}

/// A batch of maps, in another order.
pub(super) fn transposed<V: Copy>(
    batch: &Tensor<V>,
    from: Layout,
    to: Layout,
) -> Result<Tensor<V>, ShapeError> {
    let own = rank::<4>("batch of maps", batch.shape())?;
    let axes = behind_first(from, to);
    let shape = axes.map(|axis| own[axis]);
    let values = sources(batch.shape(), &axes).into_iter();
    Tensor::new(&shape, values.map(|at| batch.data()[at]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_six_orders_and_each_leads_back() {
        let all: Vec<Layout> = Layout::all().collect();
        assert_eq!(all.len(), 6);
        let names: Vec<String> = all.iter().map(Layout::to_string).collect();
        assert_eq!(names, ["chw", "cwh", "hcw", "hwc", "wch", "whc"]);
        let batch = Tensor::new(&[2, 2, 3, 4], (0..48).collect()).unwrap();
        for &from in &all {
            for &to in &all {
                let there = transposed(&batch, from, to).unwrap();
                let shape = from.shape_to(to, [2, 3, 4]);
                assert_eq!(there.shape()[1..], shape);
                assert_eq!(transposed(&there, to, from).unwrap(), batch, "{from} {to}");
            }
        }
        assert_eq!(Layout::new([Axis::C, Axis::C, Axis::W]), None);
    }

    #[test]
    fn channels_last_by_hand() {
        let chw = Tensor::new(&[1, 2, 1, 3], vec![1, 2, 3, 4, 5, 6]).unwrap();
        let hwc = transposed(&chw, Layout::CHW, Layout::HWC).unwrap();
        assert_eq!(hwc.shape(), [1, 1, 3, 2]);
        assert_eq!(hwc.data(), [1, 4, 2, 5, 3, 6]);
        assert_eq!(Layout::CHW.axes_to(Layout::HWC), [1, 2, 0]);
        assert_eq!(Layout::HWC.axes(), [Axis::H, Axis::W, Axis::C]);
    }
}
