//! What the claims share.

use std::sync::OnceLock;

use fixtures::{Fixtures, ImageSet, NETWORKS, NetworkFixture};
use kernels::{Kernels, dispatch};
use verify::{Claim, Outcome, Row, Subject};

pub(crate) fn open() -> &'static Fixtures {
    static FIXTURES: OnceLock<Fixtures> = OnceLock::new();
    FIXTURES.get_or_init(|| Fixtures::open(Fixtures::committed_root()).unwrap())
}

type Loaded = (NetworkFixture, ImageSet, Subject);

/// A copy of what was read and calibrated once.
pub(crate) fn load(name: &str) -> Loaded {
    static LOADED: [OnceLock<Loaded>; NETWORKS.len()] = [const { OnceLock::new() }; _];
    let at = NETWORKS.iter().position(|&network| network == name);
    let loaded = LOADED[at.unwrap()].get_or_init(|| {
        let fixture = NetworkFixture::load(open(), name).unwrap();
        let images = ImageSet::load(open(), &fixture.data).unwrap();
        let subject = Subject::new(&fixture, &images).unwrap();
        (fixture, images, subject)
    });
    loaded.clone()
}

/// The same with the traced images alone, for tests that run a network many times.
pub(crate) fn load_traced(name: &str) -> Loaded {
    let (mut fixture, mut images, subject) = load(name);
    let traced = fixture.int8.input_codes.shape()[0];
    images.pixels = images.pixels.head(traced);
    fixture.float.logits = fixture.float.logits.head(traced);
    fixture.int8.output_codes = fixture.int8.output_codes.head(traced);
    (fixture, images, subject)
}

pub(crate) fn kernel_sets() -> Vec<Kernels> {
    let sets = dispatch::available();
    assert!(!sets.is_empty(), "no kernel set can run");
    sets
}

/// Every row holds, and among them is every claim of `expected`.
pub(crate) fn assert_hold(rows: &[Row], expected: &[Claim]) {
    for row in rows {
        assert!(
            row.outcome.holds(),
            "{}, {}, {}: {}",
            row.network,
            row.layer,
            row.claim,
            row.outcome
        );
        assert!(row.outcome.compared() > 0);
    }
    for claim in expected {
        assert!(
            rows.iter().any(|row| row.claim == *claim),
            "nothing was compared for {claim}"
        );
    }
}

/// The layer of the first row that fails.
pub(crate) fn first_failure(rows: &[Row]) -> Option<(String, Claim, Outcome)> {
    let row = rows.iter().find(|row| !row.outcome.holds())?;
    Some((row.layer.clone(), row.claim, row.outcome.clone()))
}
