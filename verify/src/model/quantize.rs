//! Pixels to codes: eq. 1 and 5.

use quant::Rounding;
use quant::scheme::QuantParams;
use reference::Tensor;

use super::Values;

/// `clamp(round(((pixel/255 − mean)/std) / s) + z)`, every quotient in float32.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantize {
    /// Subtracted from pixel/255.
    pub mean: f32,
    /// Divides the difference.
    pub std: f32,
    /// Of the codes.
    pub params: QuantParams,
    /// How the quotient is rounded.
    pub rounding: Rounding,
    /// Which channel of the image each channel of the input is.
    pub channels: Vec<usize>,
}

impl Quantize {
    pub(super) fn run(&self, pixels: &Values) -> Values {
        self.in_order(pixels).map(|pixel| self.one(pixel))
    }

    /// The code of one pixel, 0 to 255.
    pub fn one(&self, pixel: f64) -> f64 {
        let (_, quotient) = self.numbers(pixel);
        let steps = self.rounding.round(f64::from(quotient));
        let code = steps + f64::from(self.params.zero_point);
        f64::from(self.params.grid.clamp(code))
    }

    /// The normalized pixel, and its number of input steps before rounding.
    pub fn numbers(&self, pixel: f64) -> (f32, f32) {
        let real = (pixel as f32 / 255.0 - self.mean) / self.std;
        (real, real / self.params.scale.get())
    }

    /// The image with its channels in the order of `channels`.
    fn in_order(&self, pixels: &Values) -> Values {
        if self
            .channels
            .iter()
            .enumerate()
            .all(|(at, &from)| at == from)
        {
            return pixels.clone();
        }
        let plane = pixels.item_len() / self.channels.len().max(1);
        let mut data = Vec::with_capacity(pixels.data().len());
        for image in 0..pixels.shape().first().copied().unwrap_or(0) {
            for &from in &self.channels {
                data.extend_from_slice(&pixels.item(image)[from * plane..][..plane]);
            }
        }
        Tensor::new(pixels.shape(), data).unwrap_or_else(|_| pixels.clone())
    }
}
