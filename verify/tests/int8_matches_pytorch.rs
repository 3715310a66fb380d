//! Ranges, scales, weight codes and bias codes are exactly PyTorch's; so is every
//! accumulator and code of the golden interpreter and of every kernel set, and every
//! predicted class.

use rstest::rstest;
use verify::{Claim, claims};

#[rstest]
fn exactly(#[values("lab", "lab-bias", "lenet5-cifar10", "lenet5-mnist", "mlp-mnist")] name: &str) {
    let (fixture, images, subject) = crate::common::load(name);
    let sets = crate::common::kernel_sets();
    let rows = claims::check_parameters(&fixture, &images, &subject);
    crate::common::assert_hold(
        &rows,
        &[
            Claim::NormalizedPixels,
            Claim::InputRange,
            Claim::InputScale,
            Claim::OutputRange,
            Claim::WeightScale,
            Claim::WeightCodes,
            Claim::OutputScale,
        ],
    );
    let biases = rows
        .iter()
        .filter(|row| row.claim == Claim::BiasCodes)
        .count();
    let expected = fixture
        .network
        .weighted()
        .filter(|(_, w)| w.bias.is_some())
        .count();
    assert_eq!(biases, expected);

    let rows = claims::check_integer(&fixture, &images, &subject, &sets).unwrap();
    crate::common::assert_hold(
        &rows,
        &[
            Claim::InputCodes,
            Claim::Accumulators,
            Claim::Codes,
            Claim::OutputCodes,
        ],
    );
    for set in &sets {
        let isa = set.isa();
        let claims = [
            Claim::KernelAccumulators(isa),
            Claim::KernelCodes(isa),
            Claim::KernelOutputCodes(isa),
        ];
        crate::common::assert_hold(&rows, &claims);
    }
    let traced = rows.iter().filter(|row| row.claim == Claim::Codes).count();
    assert_eq!(
        traced,
        fixture.int8.network.network().layers().len(),
        "every layer is compared"
    );

    let predictions =
        claims::check_predictions(&fixture, &images.pixels, &subject, sets[0]).unwrap();
    crate::common::assert_hold(
        &predictions.rows,
        &[Claim::FloatPredictions, Claim::Int8Predictions],
    );
    assert_eq!(predictions.int8.len(), 1000);
}

#[test]
fn the_whole_network_is_what_pytorch_quantized() {
    for name in fixtures::NETWORKS {
        let (fixture, _, subject) = crate::common::load(name);
        assert_eq!(subject.integer, fixture.int8.network, "{name}");
        assert_eq!(subject.ranges.outputs, fixture.int8.output_ranges, "{name}");
    }
}
