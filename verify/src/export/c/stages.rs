//! A model as what a C program does one after the other: its nodes, with ReLU part of the
//! requantization before it, and without those that change no value.

use std::collections::BTreeSet;

use quant::Rounding;
use quant::contracts::Recipe;
use reference::PoolGeometry;

use super::{Refusal, names};
use crate::export::ExportError;
use crate::model::{
    Accumulate, Accumulator, AveragePool, FlattenOrder, MeanRounding, Model, Node, Quantize,
    Requantize, Step,
};

/// A network in C.
pub(super) struct Stages<'a> {
    /// Pixels to codes.
    pub(super) quantize: &'a Quantize,
    /// Its codes.
    pub(super) input: Codes,
    /// At least one.
    pub(super) stages: Vec<Stage<'a>>,
}

/// A function of the C program.
pub(super) struct Stage<'a> {
    /// What its names end with.
    pub(super) id: String,
    /// The layers that it computes, in order.
    pub(super) layers: Vec<&'a str>,
    /// The node whose output it gives.
    pub(super) node: usize,
    /// What it computes.
    pub(super) work: Work<'a>,
    /// What it takes.
    pub(super) input: Codes,
    /// What it gives.
    pub(super) output: Codes,
    /// The same codes as the next one takes them: flattened, perhaps.
    pub(super) left: Codes,
}

/// What a function computes.
pub(super) enum Work<'a> {
    /// A convolution or linear layer.
    Weighted {
        accumulate: &'a Accumulate,
        /// One an output channel.
        recipes: Vec<Recipe>,
    },
    /// `max(low, q)` where it follows no requantization.
    Relu { low: i32 },
    /// Largest code of a window.
    MaxPool(PoolGeometry),
    /// Mean code of a window.
    AveragePool {
        pool: &'a AveragePool,
        rounding: Rounding,
    },
    /// Channels last.
    Interleave,
}

/// A tensor of codes of one image.
#[derive(Clone)]
pub(super) struct Codes {
    /// Without the axis of images.
    pub(super) shape: Vec<usize>,
    /// int8, else uint8.
    pub(super) is_signed: bool,
}

impl Codes {
    fn of(node: &Node) -> Self {
        Self {
            shape: node.shape[1..].to_vec(),
            is_signed: node.params.is_none_or(|params| params.grid.signed),
        }
    }

    /// How many, and how many bytes.
    pub(super) fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Channels, rows, columns; of a vector each of its values is a channel.
    pub(super) fn planes(&self) -> [usize; 3] {
        match *self.shape {
            [channels, height, width] => [channels, height, width],
            _ => [self.len(), 1, 1],
        }
    }

    /// The C type.
    pub(super) fn c_type(&self) -> &'static str {
        if self.is_signed { "int8_t" } else { "uint8_t" }
    }
}

impl<'a> Stages<'a> {
    pub(super) fn new(model: &'a Model) -> Result<Self, ExportError> {
        let refuse = |at: usize| Refusal::new(model, &model.nodes[at].name);
        let (quantize, first) = match model.nodes.first() {
            Some(Node {
                step: Step::Quantize(quantize),
                ..
            }) => (quantize, &model.nodes[0]),
            _ => {
                return Err(
                    Refusal::new(model, "input").of("a model that does not begin with pixels")
                );
            }
        };
        if !quantize
            .channels
            .iter()
            .copied()
            .eq(0..quantize.channels.len())
        {
            return Err(Refusal::new(model, "input").of("channels in another order"));
        }
        let mut made = Self {
            quantize,
            input: Codes::of(first),
            stages: Vec::new(),
        };
        let mut ids = BTreeSet::new();
        let mut at = 1;
        while at < model.nodes.len() {
            let node = &model.nodes[at];
            let id = identifier(node, refuse(at))?;
            if node
                .shape
                .iter()
                .try_fold(1i32, |size, &extent| {
                    size.checked_mul(i32::try_from(extent).ok()?)
                })
                .is_none()
            {
                return Err(refuse(at).of("a tensor of more than 2^31 values"));
            }
            let work = match &node.step {
                Step::Accumulate(accumulate) => {
                    at += 1;
                    let Some(Step::Requantize(requantize)) =
                        model.nodes.get(at).map(|next| &next.step)
                    else {
                        return Err(refuse(at - 1).of("accumulators that are not requantized"));
                    };
                    weighted(accumulate, requantize, refuse(at))?
                }
                &Step::Relu { low } => {
                    let low = low as i32;
                    if let Some(stage) = made
                        .stages
                        .last_mut()
                        .filter(|_| follows_weights(model, at))
                        && let Work::Weighted { recipes, .. } = &mut stage.work
                    {
                        for recipe in recipes {
                            recipe.clamp.low = recipe.clamp.low.max(low);
                        }
                        stage.layers.push(&node.name);
                        stage.node = at;
                        at += 1;
                        continue;
                    }
                    Work::Relu { low }
                }
                Step::MaxPool(geometry) => Work::MaxPool(*geometry),
                Step::AveragePool(pool) => match pool.rounding {
                    MeanRounding::Rule(rounding) => Work::AveragePool { pool, rounding },
                    MeanRounding::Other(_) => {
                        return Err(refuse(at).of("an average without a rule"));
                    }
                },
                Step::Flatten(FlattenOrder::Hwc) => Work::Interleave,
                // The values stay as they are and where they are.
                Step::Flatten(FlattenOrder::Chw) | Step::Identity => {
                    match made.stages.last_mut() {
                        Some(stage) => {
                            stage.layers.push(&node.name);
                            stage.left = Codes::of(node);
                            stage.node = at;
                        }
                        None => made.input = Codes::of(node),
                    }
                    at += 1;
                    continue;
                }
                Step::Quantize(_) | Step::Requantize(_) | Step::Other(_) => {
                    return Err(refuse(at).of("a step that no layer has"));
                }
            };
            let name = &*model.nodes[at].name;
            if !ids.insert(id.clone()) {
                return Err(refuse(at).because(
                    format!("a second layer whose name becomes {id}"),
                    "rename one of them",
                ));
            }
            let input = made.stages.last().map_or(&made.input, |stage| &stage.left);
            made.stages.push(Stage {
                id,
                layers: vec![name],
                node: at,
                work,
                input: input.clone(),
                output: Codes::of(&model.nodes[at]),
                left: Codes::of(&model.nodes[at]),
            });
            at += 1;
        }
        if made.stages.is_empty() {
            return Err(Refusal::new(model, "input").of("a network without layers"));
        }
        Ok(made)
    }
}

/// What the names of a layer end with.
fn identifier(node: &Node, refusal: Refusal) -> Result<String, ExportError> {
    let name = node.layer();
    names::suffix(name).map_err(|why| {
        refusal.because(
            format!("the layer's name {name:?}: {why}"),
            "rename the layer",
        )
    })
}

/// Whether the node before is a requantization.
fn follows_weights(model: &Model, at: usize) -> bool {
    matches!(model.nodes[at - 1].step, Step::Requantize(_))
}

fn weighted<'a>(
    accumulate: &'a Accumulate,
    requantize: &Requantize,
    refusal: Refusal,
) -> Result<Work<'a>, ExportError> {
    if !matches!(accumulate.accumulator, Accumulator::Exact) {
        return Err(refusal.of("an accumulator that is not exact"));
    }
    if accumulate
        .bias
        .iter()
        .any(|&bias| i32::try_from(bias).is_err())
    {
        return Err(refusal.of("a bias that int32 does not hold"));
    }
    let recipes = requantize.recipes();
    let Some(recipes) = recipes.filter(|recipes| recipes.len() == accumulate.outputs()) else {
        return Err(refusal.of("a requantization that is no contract's"));
    };
    let codes = |recipe: &Recipe| (recipe.zero_point, recipe.clamp);
    if recipes
        .iter()
        .any(|recipe| codes(recipe) != codes(&recipes[0]))
    {
        return Err(refusal.of("channels whose codes differ"));
    }
    Ok(Work::Weighted {
        accumulate,
        recipes,
    })
}
