//! The check that any int8 network passes: every code of the whole network within the derived
//! bound of the float network (eq. 18 to 21).

use quant::Rounding;
use quant::bounds::int8::{self, Codes, FLOAT32_MULTIPLIER, LayerBound, QuantizedLayer};
use quant::formulas::composed::accumulator_scale;
use quant::scheme::QuantParams;
use reference::{Op, ShapeError, Weights};

use crate::model::{Accumulate, Model, Node, Step, Values};

/// The bounds of every node that has codes, by node.
pub(super) struct Bounds {
    nodes: Vec<Option<(QuantParams, LayerBound)>>,
}

impl Bounds {
    /// Of the right model, for these pixels.
    ///
    /// # Errors
    /// Pixels that are not of the network's input shape.
    pub(super) fn new(model: &Model, pixels: &Values) -> Result<Self, ShapeError> {
        let float = model.origin.float.cast::<f64>();
        let images = (model.origin.float.input()).normalize(&pixels.map(|pixel| pixel as u8));
        let mut nodes = Vec::with_capacity(model.nodes.len());
        let mut carried: Option<LayerBound> = None;
        for (at, node) in model.nodes.iter().enumerate() {
            let Some(params) = node.params else {
                nodes.push(None);
                continue;
            };
            let op = float.layers().iter().find(|layer| layer.name == node.name);
            let next = match (op, carried.take()) {
                (Some(layer), Some(before)) => match layer.weights() {
                    Some(float) => {
                        let bound = |codes| {
                            layer_of(model, at, float, codes).a_posteriori(&layer.op, &before)
                        };
                        let [low, high] = reach(params);
                        let shown = bound([low, high])?;
                        // After a ReLU it is all one whether the codes ended at 0 or below.
                        carried = match model.nodes.get(at + 1).map(|next| &next.step) {
                            Some(Step::Relu { .. }) => Some(bound([f64::NEG_INFINITY, high])?),
                            _ => None,
                        };
                        shown
                    }
                    None if matches!(layer.op, Op::LogSoftmax) => before,
                    None => int8::unweighted(&layer.op, &before, Rounding::TiesToEven)?,
                },
                _ => int8::input_of(&images, params.scale.wide(), codes(reach(params))),
            };
            carried = carried.or_else(|| Some(next.clone()));
            nodes.push(Some((params, next)));
        }
        Ok(Self { nodes })
    }

    /// Whether some code of a node lies beyond its bound.
    pub(super) fn is_beyond(&self, node: usize, output: &Values) -> bool {
        let Some((params, bound)) = &self.nodes[node] else {
            return false;
        };
        let z = f64::from(params.zero_point);
        output.shape() != bound.real.shape() || bound.used(&output.map(|code| code - z)).0 > 1.0
    }
}

fn reach(params: QuantParams) -> [f64; 2] {
    [params.grid.low(), params.grid.high()].map(|code| f64::from(code - params.zero_point))
}

fn codes(reach: [f64; 2]) -> Codes {
    Codes {
        reach,
        rounding: Rounding::TiesToEven,
    }
}

/// The weighted layer whose codes are at this node.
fn layer_of(model: &Model, node: usize, float: &Weights<f64>, reach: [f64; 2]) -> QuantizedLayer {
    let Node { weighted, .. } = &model.nodes[node];
    let at = weighted.unwrap_or_default();
    let origin = &model.origin.layers[at];
    let Step::Accumulate(sums) = &model.nodes[node - 1].step else {
        unreachable!("before the codes of a weighted layer come its sums");
    };
    let Accumulate {
        weight,
        weight_zero_points,
        bias,
        ..
    } = sums;
    let scales = &origin.weight_scales;
    let scale = |o: usize| scales[if scales.len() == 1 { 0 } else { o }];
    // Of an accumulator; and of an output code.
    let (accumulator, step): (Box<dyn Fn(usize) -> f64>, f64) = match model.scheme.affine() {
        Some(_) => (
            Box::new(|o| scale(o).wide() * origin.input.wide()),
            origin.params.scale.wide(),
        ),
        None => {
            let history = model.origin.history(at);
            let c = accumulator_scale(scales[0], model.origin.input_scale, &history);
            (Box::new(move |_| c), c * origin.output.wide())
        }
    };
    QuantizedLayer::new(
        float,
        &weight.map_along(0, |o, code| {
            scale(o).wide() * f64::from(code - weight_zero_points[o])
        }),
        (bias.iter().enumerate())
            .map(|(o, &code)| code as f64 * accumulator(o))
            .collect(),
        step,
        codes(reach),
        FLOAT32_MULTIPLIER,
    )
}
