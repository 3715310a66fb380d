//! The real values of the codes lie within the derived bound of the float network's
//! exact outputs.

use fixtures::{ImageSet, NetworkFixture};
use quant::QuantError;
use quant::bounds::int8::{LayerBound, a_posteriori};
use reference::Tensor;

use super::Rows;
use super::float::batches;
use crate::{Claim, Outcome, Row, Subject};

/// Images run at once, to stay in the cache.
const BATCH: usize = 50;

/// Every layer, for the first `images` of the tested images.
///
/// # Errors
/// Images that are not of the network's input shape.
pub fn check_int8_error(
    fixture: &NetworkFixture,
    set: &ImageSet,
    subject: &Subject,
    images: usize,
) -> Result<Vec<Row>, QuantError> {
    let pixels = set.pixels.head(images);
    let layers = subject.integer.network().layers();
    let mut outcomes: Vec<Option<Outcome>> = vec![None; layers.len()];
    for (part, batch) in batches(&pixels, BATCH).enumerate() {
        let input = subject.float.input().normalize(&batch?);
        let bounds = a_posteriori(&subject.float, &subject.integer, &input)?;
        let trace = subject.integer.trace(&input)?;
        for ((outcome, layer), bound) in outcomes.iter_mut().zip(&trace.layers).zip(&bounds) {
            let next = within(bound, &layer.codes, part * BATCH);
            *outcome = Some(match outcome.take() {
                None => next,
                Some(before) => worse(before, next),
            });
        }
    }
    let mut rows = Rows::new(fixture.network.name());
    for ((layer, outcome), shape) in layers
        .iter()
        .zip(outcomes)
        .zip(subject.integer.network().shapes())
    {
        let shape = [&[pixels.shape()[0]], &shape[1..]].concat();
        let outcome = outcome.unwrap_or_else(|| Outcome::incomparable("there is no image"));
        rows.push(&layer.name, Claim::Int8Error, &shape, outcome);
    }
    Ok(rows.rows)
}

fn within(layer: &LayerBound, codes: &Tensor<i8>, first_image: usize) -> Outcome {
    let (used, worst) = layer.used(codes);
    let mut position = codes.position(worst);
    if let Some(image) = position.first_mut() {
        *image += first_image;
    }
    let (code, real, bound) = (
        codes.data()[worst],
        layer.real.data()[worst],
        layer.bound.data()[worst],
    );
    let value = f64::from(code) * layer.step;
    let compared = codes.data().len();
    if used <= 1.0 {
        return Outcome::Within {
            compared,
            used,
            error: (value - real).abs(),
            bound,
            worst: position,
        };
    }
    Outcome::Differs {
        compared,
        differing: 1,
        position,
        expected: format!("{real}"),
        got: format!("{value}"),
        bound: Some(bound),
    }
}

/// The worse of two parts of one comparison, with the values of both counted.
fn worse(a: Outcome, b: Outcome) -> Outcome {
    let total = a.compared() + b.compared();
    let mut worse = match (&a, &b) {
        (Outcome::Within { used: first, .. }, Outcome::Within { used: second, .. })
            if first >= second =>
        {
            a
        }
        (Outcome::Within { .. }, _) => b,
        _ => a,
    };
    if let Outcome::Within { compared, .. } | Outcome::Differs { compared, .. } = &mut worse {
        *compared = total;
    }
    worse
}
