//! Single operators: dyadic floats and codes exactly PyTorch's, rounded floats within
//! their bound; and together the int8 cases hold every special value.

use verify::run::check_operators;
use verify::{Claim, Outcome};

#[test]
fn every_case() {
    let sets = crate::common::kernel_sets();
    let (rows, coverage) = check_operators(crate::common::open(), &sets).unwrap();
    let mut claims = vec![
        Claim::Float,
        Claim::Accumulators,
        Claim::Codes,
        Claim::Coverage,
    ];
    claims.extend(sets.iter().map(|set| Claim::KernelCodes(set.isa())));
    crate::common::assert_hold(&rows, &claims);
    for (what, count) in coverage.counts() {
        assert!(count > 0, "no case holds {what}");
    }
    // Dyadic cases are exact, rounded ones by bound: neither kind is empty.
    let float = || rows.iter().filter(|row| row.claim == Claim::Float);
    let exact = float()
        .filter(|row| matches!(row.outcome, Outcome::Equal { .. }))
        .count();
    let bounded = float()
        .filter(|row| row.layer.ends_with("_rounding"))
        .count();
    assert!(
        exact > 100 && bounded > 20,
        "{exact} exact, {bounded} bounded"
    );
    assert_eq!(exact + bounded, float().count());
}

/// Accumulators anywhere in int32: no kernel is compared with the golden model in its own place.
#[test]
fn requantization_is_compared_where_the_kernels_do_it() {
    let sets = crate::common::kernel_sets();
    let (rows, _) = check_operators(crate::common::open(), &sets).unwrap();
    let mut by_formula = Vec::new();
    for name in fixtures::OperatorCase::names(crate::common::open()) {
        let rows = || rows.iter().filter(|row| row.layer == name);
        let of_kernels = rows().filter(|row| matches!(row.claim, Claim::KernelCodes(_)));
        if name.starts_with("requantize_") && of_kernels.count() != sets.len() {
            by_formula.push(name);
        }
    }
    // Its largest quotients are beyond what kernels round.
    assert_eq!(by_formula, ["requantize_below_one"]);
}

#[test]
fn every_operator_and_type_has_a_case() {
    let names = fixtures::OperatorCase::names(crate::common::open());
    for operator in [
        "add",
        "avg_pool2d",
        "conv2d",
        "linear",
        "max_pool2d",
        "relu",
    ] {
        for dtype in ["float64", "float32", "float16", "bfloat16"] {
            assert!(
                names
                    .iter()
                    .any(|name| name.starts_with(operator) && name.contains(dtype)),
                "{operator} in {dtype}"
            );
        }
    }
    for (part, fewest) in [
        ("_int8_", 100),
        ("_ties", 20),
        ("all_minus_128", 20),
        ("requantize_", 6),
    ] {
        assert!(
            names.iter().filter(|name| name.contains(part)).count() >= fewest,
            "{part}"
        );
    }
}
