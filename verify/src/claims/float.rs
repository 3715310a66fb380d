//! Float activations lie within the derived bound of PyTorch's.

use fixtures::{Golden, ImageSet, NetworkFixture};
use quant::bounds::disagreement;
use reference::network::apply;
use reference::{Network, ShapeError, Tensor, Weights};

use super::Rows;
use crate::compare::{hash, within};
use crate::{Claim, Outcome, Row, Subject};

/// Images run at once, to stay in the cache.
const BATCH: usize = 50;

/// Every layer's output, and how far another evaluation may lie from it (eq. 16).
pub struct BoundedTrace {
    /// Karat's outputs.
    pub outputs: Vec<Tensor<f32>>,
    /// Bounds on |another evaluation's − Karat's|, elementwise.
    pub bounds: Vec<Tensor<f64>>,
}

/// Runs a network and carries the bound from layer to layer.
///
/// # Errors
/// Images that are not of the network's input shape.
pub fn bounded_trace(
    network: &Network<Weights<f32>>,
    images: &Tensor<f32>,
) -> Result<BoundedTrace, ShapeError> {
    let mut trace = BoundedTrace {
        outputs: Vec::new(),
        bounds: Vec::new(),
    };
    // Both sides start from the same pixels, normalized to the same bits.
    let mut bound = images.map(|_| 0.0);
    let mut x = images.clone();
    for layer in network.layers() {
        let output = apply(&layer.op, &x)?;
        bound = disagreement(&layer.op, &x, &output, &bound)?;
        trace.outputs.push(output.clone());
        trace.bounds.push(bound.clone());
        x = output;
    }
    Ok(trace)
}

/// Every layer for the traced images, on Karat's own input and on PyTorch's, and the
/// logits for all tested ones.
///
/// The bound on a layer that is given PyTorch's input is that of one layer; carried
/// through the whole network it grows, and says less the deeper it comes.
///
/// # Errors
/// Images that are not of the network's input shape.
pub fn check_float(
    fixture: &NetworkFixture,
    images: &ImageSet,
    subject: &Subject,
) -> Result<Vec<Row>, ShapeError> {
    let mut rows = Rows::new(fixture.network.name());
    let traced = fixture.int8.input_codes.shape()[0];
    let input = subject.float.input().normalize(&images.pixels.head(traced));
    let trace = bounded_trace(&subject.float, &input)?;
    // What PyTorch gave the layer: stored, or selected from what is stored.
    let mut theirs = input;
    let layers = fixture.network.layers().iter().zip(&fixture.float.layers);
    for (place, (layer, golden)) in layers.enumerate() {
        let name = &layer.name;
        let Some(i) = subject
            .float
            .layers()
            .iter()
            .position(|other| other.name == *name)
        else {
            rows.push(
                name,
                Claim::Float,
                &[],
                Outcome::incomparable("the layer is missing"),
            );
            continue;
        };
        let op = &subject.float.layers()[i].op;
        let isolated = apply(op, &theirs)?;
        match golden {
            Golden::Values(values) => {
                let output = &trace.outputs[i];
                let outcome = within(values, output, &trace.bounds[i]);
                rows.push(name, Claim::Float, output.shape(), outcome);
                let bound = disagreement(op, &theirs, &isolated, &theirs.map(|_| 0.0))?;
                let outcome = within(values, &isolated, &bound);
                rows.push(name, Claim::FloatIsolated, isolated.shape(), outcome);
                theirs = values.clone();
            }
            Golden::Hash(expected) => {
                rows.push(
                    name,
                    Claim::FloatIsolated,
                    isolated.shape(),
                    hash(
                        expected,
                        &of_items(&fixture.network.shapes()[place], traced),
                        &isolated,
                    ),
                );
                theirs = isolated;
            }
        }
    }
    let outcome = logits(fixture, images, subject)?;
    rows.push(
        "logits",
        Claim::Logits,
        fixture.float.logits.shape(),
        outcome,
    );
    Ok(rows.rows)
}

fn logits(
    fixture: &NetworkFixture,
    images: &ImageSet,
    subject: &Subject,
) -> Result<Outcome, ShapeError> {
    let Some(last) = subject
        .float
        .layers()
        .iter()
        .rposition(|layer| layer.weights().is_some())
    else {
        return Ok(Outcome::incomparable("the network has no weighted layer"));
    };
    let (mut values, mut bounds) = (Vec::new(), Vec::new());
    for batch in batches(&images.pixels, BATCH) {
        let trace = bounded_trace(&subject.float, &subject.float.input().normalize(&batch?))?;
        values.extend_from_slice(trace.outputs[last].data());
        bounds.extend_from_slice(trace.bounds[last].data());
    }
    let shape = [images.pixels.shape()[0], subject.float.shapes()[last][1]];
    let (values, bounds) = (Tensor::new(&shape, values)?, Tensor::new(&shape, bounds)?);
    Ok(within(&fixture.float.logits, &values, &bounds))
}

/// A layer's shape for one image as that for `items`.
pub(super) fn of_items(shape: &[usize], items: usize) -> Vec<usize> {
    [&[items], &shape[1..]].concat()
}

/// The items of a tensor, `size` at a time.
pub(super) fn batches<E: Copy>(
    tensor: &Tensor<E>,
    size: usize,
) -> impl Iterator<Item = Result<Tensor<E>, ShapeError>> {
    let item = tensor.item_len().max(1);
    tensor.data().chunks(item * size).map(move |part| {
        let shape = [&[part.len() / item], &tensor.shape()[1..]].concat();
        Tensor::new(&shape, part.to_vec())
    })
}
