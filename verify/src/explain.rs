//! Why NNTool's numbers are what they are, from a network's own data: what was fused, what
//! calibration images do, and why `OUT_SCALE` is not the scale that was made by hand.

mod markdown;
mod page;
mod sections;

pub use markdown::markdown;
pub use page::html;

use fixtures::{ImageSet, NetworkFixture};
use quant::graph::adjust::Adjustment;
use quant::graph::fusions::Fusions;
use quant::graph::{Graph, GraphError, Layout};
use quant::sq8::NodeRanges;
use quant::sq8::out_scale::{Observations, OutScale};
use quant::{QuantError, QuantNetwork};
use reference::{InputSpec, Network, ShapeError, Tensor, Weights};

use crate::model::{GOLDEN, Model, ModelError, ModelScheme};
use crate::qsnr::{Qsnr, QsnrError};

/// How many calibration images are tried.
const COUNTS: [usize; 3] = [1, 10, 100];

/// What there is to say of a network.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The network.
    pub network: String,
    /// How many test images networks are compared on, which are also those that NNTool is given
    /// where the shares of a scale are measured.
    pub tested: usize,
    /// `adjust` to channels first, and to channels last.
    pub adjusted: [Adjustment; 2],
    /// `fusions --scale8`.
    pub fusions: Fusions,
    /// Sets of calibration images, the whole one last but one.
    pub calibrations: Vec<Calibrated>,
    /// Every weighted layer's output scale.
    pub scales: Vec<OutScale>,
    /// With the pixels that the network was trained on, and with pixel/255.
    pub normalized: [Qsnr; 2],
}

/// The network, calibrated on some images.
#[derive(Clone, Debug)]
pub struct Calibrated {
    /// Which images.
    pub images: String,
    /// The output scale of every weighted layer.
    pub scales: Vec<f64>,
    /// On test images.
    pub qsnr: Qsnr,
}

/// A network of which nothing can be said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// It cannot be quantized so.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// It cannot be quantized so.
    #[error(transparent)]
    Quant(#[from] QuantError),
    /// It is no graph that NNTool has.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// It cannot be compared.
    #[error(transparent)]
    Qsnr(#[from] QsnrError),
    /// Shapes that do not fit.
    #[error(transparent)]
    Shape(#[from] ShapeError),
}

impl Explanation {
    /// Of a committed network, in the scheme of release 4.22, on so many test images.
    ///
    /// # Errors
    /// A network that NNTool's scheme or its graphs do not have, or no images.
    pub fn new(
        fixture: &NetworkFixture,
        images: &ImageSet,
        tested: usize,
    ) -> Result<Self, ExplainError> {
        let float = &fixture.network;
        let body = QuantNetwork::body(float)?;
        let graph = Graph::from_network(&body)?;
        let (chw, adjusted) = graph.adjust(Layout::CHW)?;
        let (_, other) = graph.adjust(Layout::HWC)?;
        let (_, fusions) = chw.fuse_scale8()?;
        let tested = images.pixels.head(tested);
        let wrong = unnormalized(float)?;

        let mut calibrations = Vec::new();
        let all = &images.calibration;
        let whole = all.shape()[0];
        for count in COUNTS.into_iter().filter(|&count| count < whole) {
            let name = count.to_string();
            calibrations.push(calibrated(fixture, images, all.head(count), name, &tested)?);
        }
        calibrations.push(calibrated(
            fixture,
            images,
            all.clone(),
            whole.to_string(),
            &tested,
        )?);
        let dark = all.map(|pixel| pixel / 2);
        let name = format!("{whole}, half as bright");
        calibrations.push(calibrated(fixture, images, dark, name, &tested)?);

        let ranges = |network: &Network<Weights<f32>>, pixels: &Tensor<u8>| {
            let body = QuantNetwork::body(network)?;
            NodeRanges::observe(&body, &body.input().normalize(pixels))
        };
        let scales = OutScale::of_layers(
            &body,
            &Observations {
                by_hand: &ranges(float, all)?,
                other_images: &ranges(float, &tested)?,
                other_normalization: &ranges(&wrong, &tested)?,
            },
        )?;

        let mut trapped = fixture.clone();
        trapped.network = wrong;
        let qsnr = |fixture: &NetworkFixture| {
            let model = Model::new(fixture, images, ModelScheme::NntoolSq8, GOLDEN)?;
            Ok::<_, ExplainError>(Qsnr::new(&model, float, &tested)?)
        };
        Ok(Self {
            network: float.name().to_owned(),
            tested: tested.shape()[0],
            adjusted: [adjusted, other],
            fusions,
            calibrations,
            scales,
            normalized: [qsnr(fixture)?, qsnr(&trapped)?],
        })
    }
}

/// The network on pixel/255: `aquant -D 255`.
fn unnormalized(float: &Network<Weights<f32>>) -> Result<Network<Weights<f32>>, ShapeError> {
    let input = InputSpec {
        mean: 0.0,
        std: 1.0,
        ..float.input().clone()
    };
    Network::new(float.name(), input, float.layers().to_vec())
}

fn calibrated(
    fixture: &NetworkFixture,
    images: &ImageSet,
    calibration: Tensor<u8>,
    name: String,
    tested: &Tensor<u8>,
) -> Result<Calibrated, ExplainError> {
    let images = ImageSet {
        calibration,
        ..images.clone()
    };
    let model = Model::new(fixture, &images, ModelScheme::NntoolSq8, GOLDEN)?;
    Ok(Calibrated {
        images: name,
        scales: (model.origin.layers.iter())
            .map(|layer| layer.params.scale.wide())
            .collect(),
        qsnr: Qsnr::new(&model, &fixture.network, tested)?,
    })
}
