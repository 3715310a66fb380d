//! Ranges, scales and codes are exactly PyTorch's.

use fixtures::{ImageSet, NetworkFixture};
use quant::QuantWeights;
use reference::Tensor;

use super::Rows;
use crate::compare::{exact, exact_list};
use crate::{Claim, Outcome, Row, Subject};

/// Everything that is decided before the first image is run.
pub fn check_parameters(
    fixture: &NetworkFixture,
    images: &ImageSet,
    subject: &Subject,
) -> Vec<Row> {
    let golden = &fixture.int8;
    let mut rows = Rows::new(fixture.network.name());
    let pixels: Vec<u8> = (0..=u8::MAX).collect();
    let normalized = Tensor::new(&[256], pixels)
        .map(|pixels| {
            exact(
                &images.normalized,
                &subject.float.input().normalize(&pixels),
            )
        })
        .unwrap_or_else(Outcome::incomparable);
    rows.push("input", Claim::NormalizedPixels, &[256], normalized);
    let one = |expected: f32, got: f32| exact_list(&[expected], &[got]);
    let input_range = one(golden.input_range, subject.ranges.input);
    rows.push("input", Claim::InputRange, &[], input_range);
    let (expected, got) = (golden.network.input_scale(), subject.integer.input_scale());
    rows.push(
        "input",
        Claim::InputScale,
        &[],
        one(expected.get(), got.get()),
    );

    let weighted: Vec<(&str, &QuantWeights)> = golden.network.network().weighted().collect();
    for (i, (name, expected)) in weighted.into_iter().enumerate() {
        let range = match (golden.output_ranges.get(i), subject.ranges.outputs.get(i)) {
            (Some(&expected), Some(&got)) => one(expected, got),
            _ => Outcome::incomparable("the layer has no range"),
        };
        rows.push(name, Claim::OutputRange, &[], range);
        let found = subject
            .integer
            .network()
            .weighted()
            .find(|(other, _)| *other == name);
        let Some((_, got)) = found else {
            rows.push(
                name,
                Claim::WeightCodes,
                &[],
                Outcome::incomparable("the layer is missing"),
            );
            continue;
        };
        let scale = |claim, expected: quant::Scale, got: quant::Scale, rows: &mut Rows| {
            rows.push(name, claim, &[], one(expected.get(), got.get()));
        };
        scale(
            Claim::WeightScale,
            expected.weight_scale,
            got.weight_scale,
            &mut rows,
        );
        let codes = exact(&expected.weight, &got.weight);
        rows.push(name, Claim::WeightCodes, expected.weight.shape(), codes);
        scale(
            Claim::OutputScale,
            expected.output_scale,
            got.output_scale,
            &mut rows,
        );
        let bias = match (&expected.bias, &got.bias) {
            (None, None) => continue,
            (Some(expected), Some(got)) => exact_list(expected, got),
            _ => Outcome::incomparable("one side has a bias and the other has none"),
        };
        let outputs = expected.weight.shape().first().copied().unwrap_or(0);
        rows.push(name, Claim::BiasCodes, &[outputs], bias);
    }
    rows.rows
}
