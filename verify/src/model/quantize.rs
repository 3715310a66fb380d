//! Pixels to codes: eq. 1 and 5.

use quant::Rounding;
use quant::scheme::QuantParams;
use reference::Tensor;

use super::Values;

/// `clamp(round(((pixel/255 − mean)/std) / s) + z)`, every quotient in float32.
#[derive(Clone, Debug)]
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
        self.in_order(pixels).map(|pixel| {
            let real = (pixel as f32 / 255.0 - self.mean) / self.std;
            let steps = self
                .rounding
                .round(f64::from(real / self.params.scale.get()));
            f64::from(
                self.params
                    .grid
                    .clamp(steps + f64::from(self.params.zero_point)),
            )
        })
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
