//! Every layer of the float reference lies within the derived bound of PyTorch's, for the
//! traced images; the logits for all tested ones.

use rstest::rstest;
use verify::{Claim, Outcome, claims};

#[rstest]
fn within_the_derived_bound(
    #[values("lab", "lab-bias", "lenet5-cifar10", "lenet5-mnist", "mlp-mnist")] name: &str,
) {
    let (fixture, images, subject) = crate::common::load(name);
    let rows = claims::check_float(&fixture, &images, &subject).unwrap();
    crate::common::assert_hold(&rows, &[Claim::Float, Claim::FloatIsolated, Claim::Logits]);
    // A bound that nothing comes near to would show little: somewhere in each layer the two
    // sums of n products differ by more than 1/n of what they may.
    for (name, weights) in fixture.network.weighted() {
        let isolated = rows
            .iter()
            .find(|row| row.layer == name && row.claim == Claim::FloatIsolated);
        let outcome = &isolated.unwrap().outcome;
        let terms = weights.weight.item_len() as f64;
        assert!(
            matches!(outcome, Outcome::Within { used, .. } if *used > 1.0 / terms),
            "{name}: {outcome}"
        );
    }
    let layers = rows
        .iter()
        .filter(|row| matches!(row.claim, Claim::Float | Claim::FloatIsolated));
    let mut seen: Vec<&str> = layers.map(|row| row.layer.as_str()).collect();
    seen.dedup();
    let all: Vec<&str> = fixture
        .network
        .layers()
        .iter()
        .map(|l| l.name.as_str())
        .collect();
    assert_eq!(seen, all, "every layer is compared");
}
