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
    pub fn pitch(&self) -> usize {
        (self.width + 2 * self.border[1]) * self.channels
    }

    /// Bytes of an image, border included.
    pub fn bytes(&self) -> usize {
        (self.height + 2 * self.border[0]) * self.pitch()
    }

    /// Where the first pixel inside the border lies.
    pub fn inside(&self) -> usize {
        self.border[0] * self.pitch() + self.border[1] * self.channels
    }

    /// Codes of an image without its border.
    pub fn codes(&self) -> usize {
        self.height * self.width * self.channels
    }
}
