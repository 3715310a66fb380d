//! Every layer that a tool shows against the float network, within the bound.

use std::path::Path;

use quant::bounds::int8::{self, Codes, LayerBound};
use reference::network::apply;
use reference::{Network, Op, Tensor, Weights};
use serde::Serialize;

use super::{OwnScheme, OwnSchemeError, Reals};

/// What became of a network under a tool's own scheme.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OwnVerdict {
    /// The network.
    pub network: String,
    /// Every layer that the tool shows, in order.
    pub layers: Vec<Share>,
}

/// One layer's errors against what is allowed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Share {
    /// The layer.
    pub layer: String,
    /// The shape of its output.
    pub shape: Vec<usize>,
    /// The largest distance from the float network's value, in steps of the layer's codes.
    pub largest: f64,
    /// The largest share of the bound by everything before it: beyond 1 something before it, or
    /// it, is wrong.
    pub cumulative: f64,
    /// The largest share of the bound by the input that it had: beyond 1 it is wrong itself.
    pub by_itself: f64,
    /// Where that is.
    pub position: Vec<usize>,
}

impl OwnVerdict {
    /// The first layer that its input does not explain.
    pub fn to_blame(&self) -> Option<&Share> {
        self.layers.iter().find(|share| share.by_itself > 1.0)
    }

    /// Whether every layer is within its bound.
    pub fn passed(&self) -> bool {
        self.to_blame().is_none()
    }
}

/// A layer's output under both notions.
struct Both {
    cumulative: LayerBound,
    /// The error that the tool's tensor really has, or what is known of it.
    by_itself: LayerBound,
    /// What the tool computed, as far as it is known.
    computed: Option<Tensor<f64>>,
}

/// Judges the layers in `reals` for these normalized images; `folder` holds the scheme's files.
///
/// # Errors
/// Files of the scheme that are none, or a network that has no bound.
pub fn judge(
    float: &Network<Weights<f32>>,
    images: &Tensor<f32>,
    scheme: &OwnScheme,
    folder: &Path,
    reals: &Reals,
) -> Result<OwnVerdict, OwnSchemeError> {
    let float = float.cast::<f64>();
    let rounding = scheme.requantizer.rounding();
    let mut layers = Vec::new();
    let mut state = input(images, scheme, reals, &mut layers)?;
    let mut step = scheme.input.scale;
    for (at, layer) in float.layers().iter().enumerate() {
        if matches!(layer.op, Op::LogSoftmax) {
            continue;
        }
        let [cumulative, by_itself];
        let mut computed = None;
        // What is carried on; a layer's own codes may end sooner.
        let mut carried = None;
        if let Some(weights) = layer.weights() {
            let codes = scheme.layers[&layer.name].output.reach(rounding);
            step = scheme.layers[&layer.name].output.scale;
            let bound = |codes: Codes, input: &LayerBound| {
                let own = scheme.layer(folder, &layer.name, weights, codes)?;
                Ok::<_, OwnSchemeError>(own.a_posteriori(&layer.op, input)?)
            };
            cumulative = bound(codes, &state.cumulative)?;
            by_itself = bound(codes, &state.by_itself)?;
            let relu = float.layers().get(at + 1);
            if relu.is_some_and(|next| matches!(next.op, Op::Relu)) {
                // After the ReLU it is all one whether the codes ended at 0 or below.
                let codes = Codes {
                    reach: [f64::NEG_INFINITY, codes.reach[1]],
                    ..codes
                };
                carried = Some([
                    bound(codes, &state.cumulative)?,
                    bound(codes, &state.by_itself)?,
                ]);
            }
        } else {
            cumulative = int8::unweighted(&layer.op, &state.cumulative, rounding)?;
            by_itself = int8::unweighted(&layer.op, &state.by_itself, rounding)?;
            // These select codes and compute nothing.
            if matches!(layer.op, Op::Relu | Op::MaxPool2d(_) | Op::Flatten) {
                computed = (state.computed.as_ref())
                    .map(|computed| apply(&layer.op, computed))
                    .transpose()?;
            }
        }
        if let Some(shown) = reals.get(&layer.name) {
            layers.push(share(&layer.name, shown, [&cumulative, &by_itself], step));
            computed = Some(shown.clone());
        }
        let [cumulative, by_itself] = carried.unwrap_or([cumulative, by_itself]);
        state = Both {
            by_itself: match &computed {
                Some(computed) => by_itself.known(computed),
                None => by_itself,
            },
            cumulative,
            computed,
        };
    }
    Ok(OwnVerdict {
        network: float.name().to_owned(),
        layers,
    })
}

fn input(
    images: &Tensor<f32>,
    scheme: &OwnScheme,
    reals: &Reals,
    layers: &mut Vec<Share>,
) -> Result<Both, OwnSchemeError> {
    let codes = scheme.input.reach(scheme.requantizer.rounding());
    // The scale is taken as float64: the division of the bound allows for float32.
    let allowed = int8::input_of(images, scheme.input.scale, codes);
    let computed = reals.get("input").cloned();
    if let Some(shown) = &computed {
        layers.push(share(
            "input",
            shown,
            [&allowed, &allowed],
            scheme.input.scale,
        ));
    }
    Ok(Both {
        by_itself: match &computed {
            Some(computed) => allowed.known(computed),
            None => allowed.clone(),
        },
        cumulative: allowed,
        computed,
    })
}

fn share(name: &str, shown: &Tensor<f64>, bounds: [&LayerBound; 2], step: f64) -> Share {
    let [cumulative, by_itself] = bounds.map(|bound| {
        let shares = (shown.data().iter().enumerate()).map(|(i, &x)| bound.share_of_real(x, i));
        (shares.enumerate()).fold(
            (0, 0.0),
            |worst: (usize, f64), (i, share)| {
                if share > worst.1 { (i, share) } else { worst }
            },
        )
    });
    let errors = (shown.data().iter().zip(bounds[0].real.data())).map(|(x, real)| (x - real).abs());
    Share {
        layer: name.to_owned(),
        shape: shown.shape().to_vec(),
        largest: errors.fold(0.0, f64::max) / step,
        cumulative: cumulative.1,
        by_itself: by_itself.1,
        position: shown.position(by_itself.0),
    }
}
