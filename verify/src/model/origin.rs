//! What a model's parameters were made from: for hypotheses that make them anew, wrongly.

use std::sync::{Arc, OnceLock};

use quant::observers::Range;
use quant::scheme::{QuantParams, Scheme};
use quant::sq8::Sq8Weights;
use quant::{QuantError, Scale};
use reference::network::apply;
use reference::{Network, Tensor, Weights};

/// The float network, its calibration, and the scales made of it.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The float network.
    pub float: Network<Weights<f32>>,
    /// Parameters of every weighted layer, in order.
    pub layers: Vec<LayerOrigin>,
    /// s_I.
    pub input_scale: Scale,
    /// The normalized pixels, from the least to the greatest.
    pub input_range: Range,
    /// The scheme, unless it is max-abs.
    pub affine: Option<Scheme>,
    /// Pixels [N, C, H, W].
    pub(super) calibration: Arc<Tensor<u8>>,
    pub(super) observed: Arc<OnceLock<Vec<Observed>>>,
    pub(super) observed_weights: Arc<OnceLock<Vec<Vec<Observed>>>>,
}

/// What one weighted layer was made from.
#[derive(Clone, Debug)]
pub struct LayerOrigin {
    /// Its float parameters.
    pub float: Weights<f32>,
    /// s_W, one or one an output channel.
    pub weight_scales: Vec<Scale>,
    /// The scale of its input's codes in real units.
    pub input: Scale,
    /// s_O: the divisor of the relative convention, else the real size of an output code.
    pub output: Scale,
    /// The observed range of its output.
    pub range: Range,
    /// Of its output's codes.
    pub params: QuantParams,
    /// What NNTool makes of it, in a scheme of its.
    pub sq8: Option<Arc<Sq8Weights>>,
}

/// What a tensor of activations looked like over the calibration images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observed {
    /// Over all images.
    pub range: Range,
    /// The mean.
    pub mean: f64,
    /// The mean of |x|.
    pub absolute_mean: f64,
    /// The standard deviation, as PyTorch computes it (n − 1).
    pub deviation: f64,
    /// Over the first image alone.
    pub first: Range,
    /// Over the last image alone.
    pub last: Range,
    /// Over the last 100 images.
    pub last_batch: Range,
}

/// The size of the last batch.
const BATCH: usize = 100;

impl Origin {
    /// (s_W, s_O) of the layers before this weighted layer, of the relative convention.
    pub fn history(&self, weighted: usize) -> Vec<(Scale, Scale)> {
        (self.layers[..weighted].iter())
            .map(|layer| (layer.weight_scales[0], layer.output))
            .collect()
    }

    /// What each weighted layer's output (before ReLU, or after it where the scheme observes
    /// there) looked like.
    ///
    /// # Errors
    /// None for a network that was calibrated.
    pub fn observed(&self) -> Result<&[Observed], QuantError> {
        if let Some(observed) = self.observed.get() {
            return Ok(observed);
        }
        let observed = self.observe()?;
        Ok(self.observed.get_or_init(|| observed))
    }

    /// What each weighted layer's weights look like: whole, or each output channel where each has
    /// a scale.
    pub fn observed_weights(&self) -> &[Vec<Observed>] {
        self.observed_weights.get_or_init(|| {
            let of = |layer: &LayerOrigin| {
                let weight = &layer.float.weight;
                match layer.weight_scales.len() {
                    1 => vec![Observed::of_values(weight.data())],
                    several => (0..several)
                        .map(|o| Observed::of_values(weight.item(o)))
                        .collect(),
                }
            };
            self.layers.iter().map(of).collect()
        })
    }

    fn observe(&self) -> Result<Vec<Observed>, QuantError> {
        let images = self.float.input().normalize(&self.calibration);
        let network = self.float.cast::<f64>();
        let after_relu = (self.affine)
            .is_some_and(|scheme| scheme.observed_at == quant::scheme::ObservedAt::AfterRelu);
        let mut x = images.map(f64::from);
        let mut observed = Vec::new();
        for (at, layer) in network.layers().iter().enumerate() {
            x = apply(&layer.op, &x)?;
            if layer.weights().is_some() {
                let relu = (network.layers().get(at + 1))
                    .is_some_and(|next| matches!(next.op, reference::Op::Relu));
                observed.push(match relu && after_relu {
                    true => Observed::of(&x.map(|a| a.max(0.0))),
                    false => Observed::of(&x),
                });
            }
        }
        Ok(observed)
    }
}

impl LayerOrigin {
    /// Whether its sums start from bias codes: NNTool's always do.
    pub fn has_bias_codes(&self) -> bool {
        self.float.bias.is_some() || self.sq8.is_some()
    }
}

impl Observed {
    /// What some values look like that belong to no image: weights.
    pub fn of_values(values: &[f32]) -> Self {
        let range = Range {
            low: values.iter().copied().fold(f32::INFINITY, f32::min),
            high: values.iter().copied().fold(f32::NEG_INFINITY, f32::max),
        };
        let moments = quant::observers::moments(values);
        Self {
            range,
            mean: moments.mean,
            absolute_mean: mean_of(values.iter().map(|&x| f64::from(x).abs())),
            deviation: moments.deviation,
            first: range,
            last: range,
            last_batch: range,
        }
    }

    fn of(values: &Tensor<f64>) -> Self {
        let range = |values: &[f64]| Range {
            low: values.iter().copied().fold(f64::INFINITY, f64::min) as f32,
            high: values.iter().copied().fold(f64::NEG_INFINITY, f64::max) as f32,
        };
        let all = values.data();
        let single: Vec<f32> = all.iter().map(|&x| x as f32).collect();
        let moments = quant::observers::moments(&single);
        let images = values.shape()[0];
        Self {
            range: range(all),
            mean: moments.mean,
            absolute_mean: mean_of(all.iter().map(|x| x.abs())),
            deviation: moments.deviation,
            first: range(values.item(0)),
            last: range(values.item(images - 1)),
            last_batch: range(&all[images.saturating_sub(BATCH) * values.item_len()..]),
        }
    }
}

fn mean_of(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}
