//! Codes in memory as the kernels read them.
//!
//! ```text
//! Maps, one image of height 2, width 3, 2 channels with a border of 1 (z: the zero point):
//!
//!   zz zz zz zz zz
//!   zz ab ab ab zz      pixel by pixel, the channels of a pixel side by side (NHWC):
//!   zz ab ab ab zz      a row of a window is one run of bytes
//!   zz zz zz zz zz ···  SLACK bytes that may be read and never count
//! ```

pub use crate::aligned::Aligned;

/// Bytes behind the last that a kernel may read: it takes whole vectors, of up to 64 bytes that
/// start up to four quads ahead.
pub const SLACK: usize = 80;

/// The widest tile: 4 vectors of 16 lanes. What is kept a channel is filled up to it.
const WIDEST: usize = 64;

/// Channels, filled up to whole tiles.
pub(crate) fn padded_channels(channels: usize) -> usize {
    channels.next_multiple_of(WIDEST)
}

/// Constants of channels, filled up to what is read from the last one on: each group starts its
/// tiles at its own first.
pub(crate) fn padded_constants(channels: usize) -> usize {
    channels + WIDEST
}

/// The shape of the maps of one image, and the border that their reader wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapShape {
    /// Rows.
    pub height: usize,
    /// Pixels of a row.
    pub width: usize,
    /// Channels of a pixel.
    pub channels: usize,
    /// Rows above and below, pixels left and right.
    pub border: [usize; 2],
}

impl MapShape {
    /// Bytes from a row to the next.
    ///
    /// # Panics
    /// No memory holds the maps, as in all that follows.
    pub fn pitch(&self) -> usize {
        size(size(2, self.border[1], self.width), self.channels, 0)
    }

    /// Bytes of an image, border included.
    pub fn bytes(&self) -> usize {
        size(size(2, self.border[0], self.height), self.pitch(), 0)
    }

    /// Where the first pixel inside the border lies.
    pub fn inside(&self) -> usize {
        let before = size(self.border[1], self.channels, 0);
        size(self.border[0], self.pitch(), before)
    }

    /// Where the first window starts of a convolution whose padding is at most the border.
    pub(crate) fn first_window(&self, padding: [usize; 2]) -> usize {
        let [rows, columns] = [0, 1].map(|axis| self.border[axis] - padding[axis]);
        size(rows, self.pitch(), size(columns, self.channels, 0))
    }

    /// From a window to the one below and to the next; a stride that leads out of the maps may
    /// lead anywhere there.
    pub(crate) fn window_step(&self, [down, next]: [usize; 2]) -> [usize; 2] {
        [
            down.saturating_mul(self.pitch()),
            next.saturating_mul(self.channels),
        ]
    }

    /// Codes of an image without its border.
    pub fn codes(&self) -> usize {
        size(size(self.height, self.width, 0), self.channels, 0)
    }
}

/// `a · b + c`; less than half of all numbers, so that [`SLACK`] may be added.
fn size(a: usize, b: usize, c: usize) -> usize {
    (a.checked_mul(b).and_then(|product| product.checked_add(c)))
        .filter(|&size| size <= isize::MAX as usize)
        .expect("maps that memory holds")
}

/// Elements from the first of rows and columns of runs of `len`, which lie `down` and `next`
/// apart, to the end of the last. Where that overflows, more than any slice is long.
pub(crate) fn span([rows, columns]: [usize; 2], [down, next]: [usize; 2], len: usize) -> usize {
    match (rows.checked_sub(1), columns.checked_sub(1)) {
        (Some(last_row), Some(last)) => (last_row.saturating_mul(down))
            .saturating_add(last.saturating_mul(next))
            .saturating_add(len),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_ends_with_the_last_run_and_never_wraps() {
        assert_eq!(span([3, 4], [100, 10], 7), 237);
        assert_eq!(span([1, 4], [usize::MAX, 10], 7), 37);
        for none in [[0, 4], [3, 0]] {
            assert_eq!(span(none, [100, 10], 7), 0);
        }
        let half = 1 << (usize::BITS - 1);
        for (counts, steps, len) in [
            ([3, 1], [half, 0], 7),
            ([1, 3], [0, half], 7),
            ([2, 2], [half, half], 7),
            ([1, 2], [0, usize::MAX], 7),
        ] {
            assert_eq!(span(counts, steps, len), usize::MAX);
        }
    }

    /// Each of these would be small if it wrapped.
    #[test]
    fn maps_that_no_memory_holds_panic() {
        let half = 1 << (usize::BITS - 1);
        let sizes: [fn(&MapShape) -> usize; 4] = [
            MapShape::pitch,
            MapShape::bytes,
            MapShape::inside,
            MapShape::codes,
        ];
        let shape = |height, width, channels, border| MapShape {
            height,
            width,
            channels,
            border,
        };
        for (of, shape) in [
            (0, shape(1, half, 2, [0, 0])),
            (0, shape(1, 1, 1, [0, half])),
            (1, shape(half, 1, 2, [0, 0])),
            (1, shape(1, 1, 1, [half, 0])),
            (1, shape(1, usize::MAX - 1, 1, [0, 0])),
            (2, shape(1, 2, 1, [half, 0])),
            (3, shape(half, 2, 1, [0, 0])),
        ] {
            let caught = std::panic::catch_unwind(|| sizes[of](&shape));
            assert!(caught.is_err(), "{shape:?}: {caught:?}");
        }
        let all = shape(2, 3, 2, [1, 2]);
        assert_eq!(sizes.map(|size| size(&all)), [14, 56, 18, 12]);
    }
}
