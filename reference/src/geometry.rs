//! Where the windows of convolution and pooling lie.

use std::ops::Range;

use crate::ShapeError;
use crate::tensor::allocatable;

/// One axis of a sliding window: output o reads, at tap k, input
/// `o·stride + k·dilation − padding`, and nothing where that lies outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Number of taps, ≥ 1.
    pub kernel: usize,
    /// Step of the input from one output to the next, ≥ 1.
    pub stride: usize,
    /// Positions before the first and after the last input.
    pub padding: usize,
    /// Step of the input from one tap to the next, ≥ 1.
    pub dilation: usize,
}

impl Window {
    /// How many outputs an axis of `input` positions has:
    /// `⌊(input + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1`.
    ///
    /// # Errors
    /// A size is zero or overflows, or the window is longer than the padded input.
    pub fn outputs(&self, input: usize) -> Result<usize, ShapeError> {
        let sizes = [self.kernel, self.stride, self.dilation];
        if sizes.contains(&0) {
            return Err(ShapeError::Geometry(format!(
                "kernel, stride and dilation must be at least 1: {self:?}"
            )));
        }
        let overflow = || ShapeError::Geometry(format!("sizes overflow: {self:?} on {input}"));
        let padded = (self.padding.checked_mul(2))
            .and_then(|both| both.checked_add(input))
            .ok_or_else(overflow)?;
        let reach = (self.dilation.checked_mul(self.kernel - 1))
            .and_then(|reach| reach.checked_add(1))
            .ok_or_else(overflow)?;
        if padded < reach {
            return Err(ShapeError::Geometry(format!(
                "a window of {reach} positions on a padded input of {padded}"
            )));
        }
        Ok((padded - reach) / self.stride + 1)
    }

    /// The input position that `output` reads at `tap`; `None` in the padding
    /// before the input or after its `input` positions.
    pub fn input_at(&self, output: usize, tap: usize, input: usize) -> Option<usize> {
        (output * self.stride + tap * self.dilation)
            .checked_sub(self.padding)
            .filter(|&position| position < input)
    }

    /// Of an output's taps, those that read inside the `input` positions.
    pub fn taps_inside(&self, output: usize, input: usize) -> Range<usize> {
        let start = output * self.stride;
        let first = self.padding.saturating_sub(start).div_ceil(self.dilation);
        let end = (input + self.padding)
            .saturating_sub(start)
            .div_ceil(self.dilation);
        let end = end.min(self.kernel);
        first.min(end)..end
    }

    /// The input positions that `output` reads, of a window without gaps (dilation 1).
    fn span(&self, output: usize, input: usize) -> Range<usize> {
        let taps = self.taps_inside(output, input);
        let start = output * self.stride;
        // Taps inside lie beyond the padding; of none, nothing is read.
        let at = |tap: usize| (start + tap).saturating_sub(self.padding);
        at(taps.start)..at(taps.end)
    }

    /// Of `outputs` positions, those that read inside the input at `tap`.
    pub fn outputs_inside(&self, tap: usize, input: usize, outputs: usize) -> Range<usize> {
        let ahead = tap * self.dilation;
        let first = self.padding.saturating_sub(ahead).div_ceil(self.stride);
        let end = (input + self.padding)
            .saturating_sub(ahead)
            .div_ceil(self.stride);
        let end = end.min(outputs);
        first.min(end)..end
    }
}

/// A convolution but for its kernel size, which is its weight's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dGeometry {
    /// Rows, columns.
    pub stride: [usize; 2],
    /// Rows, columns; on both sides.
    pub padding: [usize; 2],
    /// Rows, columns.
    pub dilation: [usize; 2],
    /// Input and output channels are split in this many groups.
    pub groups: usize,
}

impl Default for Conv2dGeometry {
    fn default() -> Self {
        Self {
            stride: [1, 1],
            padding: [0, 0],
            dilation: [1, 1],
            groups: 1,
        }
    }
}

impl Conv2dGeometry {
    /// The windows along rows and columns for a kernel of `[height, width]`.
    pub fn windows(&self, kernel: [usize; 2]) -> [Window; 2] {
        [0, 1].map(|axis| Window {
            kernel: kernel[axis],
            stride: self.stride[axis],
            padding: self.padding[axis],
            dilation: self.dilation[axis],
        })
    }

    /// The output shape [N, O, H', W'] for an input [N, C, H, W] and a weight
    /// [O, C/groups, kernel height, kernel width].
    ///
    /// # Errors
    /// Ranks, channels or groups that do not fit, or a window that does not.
    pub fn output_shape(
        &self,
        input: &[usize],
        weight: &[usize],
    ) -> Result<[usize; 4], ShapeError> {
        let [n, c, h, w] = rank::<4>("convolution input (NCHW)", input)?;
        let [o, i, kh, kw] = rank::<4>("convolution weight (OIHW)", weight)?;
        if self.groups == 0 || !c.is_multiple_of(self.groups) || !o.is_multiple_of(self.groups) {
            return Err(ShapeError::Geometry(format!(
                "{} groups do not divide {c} input and {o} output channels",
                self.groups
            )));
        }
        if i != c / self.groups {
            return Err(ShapeError::Mismatch {
                what: "input channels of a group in the convolution weight",
                expected: c / self.groups,
                got: i,
            });
        }
        let [rows, columns] = self.windows([kh, kw]);
        let shape = [n, o, rows.outputs(h)?, columns.outputs(w)?];
        // `outputs` has checked these sums.
        allocatable(&[c, h + 2 * rows.padding, w + 2 * columns.padding])?;
        Ok(shape)
    }
}

/// A pooling window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolGeometry {
    /// Rows, columns.
    pub kernel: [usize; 2],
    /// Rows, columns.
    pub stride: [usize; 2],
    /// Rows, columns; on both sides, at most half the kernel.
    pub padding: [usize; 2],
}

impl PoolGeometry {
    /// The windows along rows and columns.
    pub fn windows(&self) -> [Window; 2] {
        [0, 1].map(|axis| Window {
            kernel: self.kernel[axis],
            stride: self.stride[axis],
            padding: self.padding[axis],
            dilation: 1,
        })
    }

    /// The input positions of each window, along rows and along columns, of so many outputs over
    /// so many input positions: what lies in the padding is left out.
    pub fn spans(&self, input: [usize; 2], outputs: [usize; 2]) -> [Vec<Range<usize>>; 2] {
        let windows = self.windows();
        [0, 1].map(|axis| {
            let span = |output| windows[axis].span(output, input[axis]);
            (0..outputs[axis]).map(span).collect()
        })
    }

    /// The output shape [N, C, H', W'] for an input [N, C, H, W].
    ///
    /// # Errors
    /// The input is not NCHW, the window does not fit, or the padding is more
    /// than half the kernel (some window would hold padding alone).
    pub fn output_shape(&self, input: &[usize]) -> Result<[usize; 4], ShapeError> {
        let [n, c, h, w] = rank::<4>("pooling input (NCHW)", input)?;
        for axis in [0, 1] {
            if self.padding[axis] > self.kernel[axis] / 2 {
                return Err(ShapeError::Geometry(format!(
                    "padding {} is more than half the pooling kernel {}",
                    self.padding[axis], self.kernel[axis]
                )));
            }
        }
        let [rows, columns] = self.windows();
        if self.kernel[0].checked_mul(self.kernel[1]).is_none() {
            return Err(ShapeError::Geometry(format!(
                "kernel sizes overflow: {:?}",
                self.kernel
            )));
        }
        Ok([n, c, rows.outputs(h)?, columns.outputs(w)?])
    }
}

/// `shape` as an array of its `R` axes.
///
/// # Errors
/// It has another number of axes; `what` names the tensor.
pub fn rank<const R: usize>(what: &'static str, shape: &[usize]) -> Result<[usize; R], ShapeError> {
    shape.try_into().map_err(|_| ShapeError::Rank {
        what,
        expected: R,
        got: shape.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn window() -> impl Strategy<Value = Window> {
        (1usize..5, 1usize..4, 0usize..4, 1usize..4).prop_map(
            |(kernel, stride, padding, dilation)| Window {
                kernel,
                stride,
                padding,
                dilation,
            },
        )
    }

    proptest! {
        #[test]
        fn outputs_is_the_number_of_windows_that_fit(w in window(), input in 1usize..20) {
            let reach = w.dilation * (w.kernel - 1) + 1;
            let counted = (0..).take_while(|o| o * w.stride + reach <= input + 2 * w.padding).count();
            match w.outputs(input) {
                Ok(outputs) => prop_assert_eq!(outputs, counted),
                Err(_) => prop_assert_eq!(counted, 0),
            }
        }

        #[test]
        fn outputs_inside_agrees_with_input_at(w in window(), input in 1usize..20) {
            let Ok(outputs) = w.outputs(input) else { return Ok(()) };
            for tap in 0..w.kernel {
                let inside: Vec<usize> =
                    (0..outputs).filter(|&o| w.input_at(o, tap, input).is_some()).collect();
                let range: Vec<usize> = w.outputs_inside(tap, input, outputs).collect();
                prop_assert_eq!(range, inside);
            }
            for output in 0..outputs {
                let inside: Vec<usize> =
                    (0..w.kernel).filter(|&tap| w.input_at(output, tap, input).is_some()).collect();
                prop_assert_eq!(w.taps_inside(output, input).collect::<Vec<_>>(), inside);
                let dense = Window { dilation: 1, ..w };
                let read: Vec<usize> =
                    (0..w.kernel).filter_map(|tap| dense.input_at(output, tap, input)).collect();
                prop_assert_eq!(dense.span(output, input).collect::<Vec<_>>(), read);
            }
        }
    }

    #[test]
    fn zero_sizes_and_overflow_are_errors() {
        let good = Window {
            kernel: 3,
            stride: 1,
            padding: 0,
            dilation: 1,
        };
        assert_eq!(good.outputs(3), Ok(1));
        assert!(good.outputs(2).is_err());
        for bad in [
            Window { kernel: 0, ..good },
            Window { stride: 0, ..good },
            Window {
                dilation: 0,
                ..good
            },
            Window {
                padding: usize::MAX,
                ..good
            },
            Window {
                padding: usize::MAX / 2,
                ..good
            },
            Window {
                dilation: usize::MAX,
                ..good
            },
        ] {
            assert!(
                matches!(bad.outputs(5), Err(ShapeError::Geometry(_))),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn convolution_shapes() {
        let g = Conv2dGeometry {
            stride: [2, 1],
            padding: [1, 2],
            dilation: [1, 2],
            groups: 2,
        };
        assert_eq!(
            g.output_shape(&[3, 4, 9, 10], &[6, 2, 3, 5]),
            Ok([3, 6, 5, 6])
        );
        assert!(matches!(
            g.output_shape(&[3, 4, 9, 10], &[6, 4, 3, 5]),
            Err(ShapeError::Mismatch {
                expected: 2,
                got: 4,
                ..
            })
        ));
        for (input, weight) in [([3, 5, 9, 10], [6, 2, 3, 5]), ([3, 4, 9, 10], [5, 2, 3, 5])] {
            assert!(matches!(
                g.output_shape(&input, &weight),
                Err(ShapeError::Geometry(_))
            ));
        }
        let none = Conv2dGeometry { groups: 0, ..g };
        assert!(matches!(
            none.output_shape(&[3, 4, 9, 10], &[6, 2, 3, 5]),
            Err(ShapeError::Geometry(_))
        ));
        // The padded image is exactly as large as may be, and one position larger.
        let half = crate::tensor::MAX_VALUES / 2;
        for (axis, image) in [(0, [1, 1, 2, 1]), (1, [1, 1, 1, 2])] {
            let of = |by: usize| {
                let mut padding = [0, 0];
                padding[axis] = by;
                let g = Conv2dGeometry {
                    padding,
                    ..Conv2dGeometry::default()
                };
                g.output_shape(&image, &[1, 1, 1, 1])
            };
            assert!(of(half - 1).is_ok());
            assert!(matches!(of(half), Err(ShapeError::TooLarge { .. })));
        }
        let far = Conv2dGeometry {
            padding: [1 << 30, 0],
            ..g
        };
        assert!(matches!(
            far.output_shape(&[3, 4, 9, 10], &[6, 2, 3, 5]),
            Err(ShapeError::TooLarge { .. })
        ));
        assert!(matches!(
            g.output_shape(&[4, 9, 10], &[6, 2, 3, 5]),
            Err(ShapeError::Rank { expected: 4, .. })
        ));
    }

    #[test]
    fn pooling_shapes() {
        let g = PoolGeometry {
            kernel: [2, 3],
            stride: [2, 1],
            padding: [1, 0],
        };
        assert_eq!(g.output_shape(&[1, 2, 6, 7]), Ok([1, 2, 4, 5]));
        let huge = PoolGeometry {
            kernel: [1 << 33, 1 << 33],
            padding: [1 << 32, 1 << 32],
            ..g
        };
        assert!(matches!(
            huge.output_shape(&[1, 2, 6, 7]),
            Err(ShapeError::Geometry(_))
        ));
        let loose = PoolGeometry {
            padding: [0, 2],
            ..g
        };
        assert!(matches!(
            loose.output_shape(&[1, 2, 6, 7]),
            Err(ShapeError::Geometry(_))
        ));
    }
}
