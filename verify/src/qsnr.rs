//! How near an integer network lies to its float network, in the figures that NNTool prints:
//! decibels a layer (eq. 31), and how many images are classified alike.

use quant::sq8::qsnr;
use quant::{QuantError, QuantNetwork};
use reference::{Network, ShapeError, Tensor, Weights};

use crate::claims::argmax;
use crate::model::{Model, Node, Step, Values};

/// A model beside float networks.
#[derive(Clone, Debug, PartialEq)]
pub struct Qsnr {
    /// The input and every layer, in order.
    pub layers: Vec<LayerQsnr>,
    /// How many images there were.
    pub images: usize,
    /// To how many the model gives the class that its own float network gives.
    pub agrees: usize,
    /// To how many the model gives the class that `right` gives.
    pub agrees_with_right: usize,
    /// To how many the model's own float network gives the class that `right` gives.
    pub float_agrees_with_right: usize,
}

/// One layer over all images.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerQsnr {
    /// The layer, or `input`.
    pub name: String,
    /// Whether a ReLU or a pool that is fused with it follows: its codes are cut off at the
    /// ReLU's 0 already, which the float layer is not, and no kernel ever shows them.
    pub inside: bool,
    /// The mean over the images of the decibels of each.
    pub mean: f64,
    /// The least of an image.
    pub least: f64,
}

/// Figures that cannot be computed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QsnrError {
    /// Images that are not the network's.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// A float network that has no integer form.
    #[error(transparent)]
    Quant(#[from] QuantError),
    /// There is nothing to compare.
    #[error("no images: give at least 1")]
    NoImages,
}

impl Qsnr {
    /// Of a model on pixels [N, C, H, W]: the decibels are those of its distance from the float
    /// network that it was made of, whatever that one's normalization; `right` is the float
    /// network as it was trained.
    ///
    /// # Errors
    /// Pixels that are not of the network's input shape, or none.
    pub fn new(
        model: &Model,
        right: &Network<Weights<f32>>,
        pixels: &Tensor<u8>,
    ) -> Result<Self, QsnrError> {
        let images = pixels.shape().first().copied().unwrap_or(0);
        if images == 0 {
            return Err(QsnrError::NoImages);
        }
        let codes = model.trace(&pixels.map(f64::from))?;
        let float = trace(&model.origin.float, pixels)?;
        let shown: Vec<(usize, &Node)> = (model.nodes.iter().enumerate())
            .filter(|(_, node)| !node.is_accumulators())
            .collect();
        let layers = (shown.iter().zip(&float))
            .map(|(&(at, node), real)| layer(model, (at, node), real, &codes[at]))
            .collect();
        let classes = |trace: &[Values]| trace.last().map(argmax).unwrap_or_default();
        let (of_model, own) = (classes(&codes), classes(&float));
        let of_right = classes(&trace(right, pixels)?);
        let alike = |a: &[u8], b: &[u8]| a.iter().zip(b).filter(|(a, b)| a == b).count();
        Ok(Self {
            layers,
            images,
            agrees: alike(&of_model, &own),
            agrees_with_right: alike(&of_model, &of_right),
            float_agrees_with_right: alike(&own, &of_right),
        })
    }
}

/// The input and every layer's output in float64, but for a log-softmax at the end.
fn trace(network: &Network<Weights<f32>>, pixels: &Tensor<u8>) -> Result<Vec<Values>, QsnrError> {
    let body = QuantNetwork::body(network)?.cast::<f64>();
    let input = network.input().normalize(pixels).map(f64::from);
    let mut outputs = body.trace(&input)?;
    outputs.insert(0, input);
    Ok(outputs)
}

fn layer(model: &Model, (at, node): (usize, &Node), real: &Values, codes: &Values) -> LayerQsnr {
    let inside = (model.nodes.get(at + 1))
        .is_some_and(|next| matches!(next.step, Step::Relu { .. } | Step::MaxPool(_)));
    let (scale, z) = (node.params).map_or((1.0, 0.0), |params| {
        (params.scale.wide(), f64::from(params.zero_point))
    });
    let of = |image: usize| {
        let codes = codes.item(image).iter().map(|code| scale * (code - z));
        qsnr(real.item(image).iter().copied().zip(codes))
    };
    let each: Vec<f64> = (0..real.shape()[0]).map(of).collect();
    LayerQsnr {
        name: node.name.clone(),
        inside,
        mean: each.iter().sum::<f64>() / each.len() as f64,
        least: each.iter().copied().fold(f64::INFINITY, f64::min),
    }
}
