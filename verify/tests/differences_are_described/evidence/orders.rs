//! The right values in another order.

use crate::differences_are_described::traced::lab;
use rstest::rstest;
use verify::diagnosis::{Arrangement, Evidence, Finding, Segment};
use verify::model::{FlattenOrder, Step, Values};

use super::{changed, has, said};

#[test]
fn minus_zero_is_zero_in_another_order() {
    let rearranged = |finding: &Finding| matches!(finding, Finding::Rearranged { .. });
    assert!(said(&[0.0, 1.0, 2.0], &[2.0, -0.0, 1.0], rearranged));
    assert!(!said(&[0.0, 1.0, 2.0], &[2.0, -1.0, 1.0], rearranged));
}

/// Two right channels are equal: which is which cannot be said.
#[test]
fn equal_channels_have_no_order() {
    let lab = lab();
    let node = lab.at("pool2");
    let of = |channels: [f64; 4]| {
        let data = channels.iter().flat_map(|&x| [x, x + 0.5]).collect();
        Values::new(&[1, 4, 1, 2], data).unwrap()
    };
    let order = |right: [f64; 4], wrong: [f64; 4]| {
        let (right, wrong) = (of(right), of(wrong));
        let segment = Segment {
            model: &lab.model,
            nodes: node..node + 1,
            input: &right,
            expected: &right,
            observed: &wrong,
        };
        let findings = Evidence::new(&segment).findings;
        findings.into_iter().find_map(|finding| match finding {
            Finding::Rearranged { arrangement } => Some(arrangement),
            _ => None,
        })
    };
    let channels = |order: &[usize]| {
        let order = order.to_vec();
        Some(Some(Arrangement::Channels { order }))
    };
    assert_eq!(
        order([1., 2., 3., 4.], [2., 1., 4., 3.]),
        channels(&[1, 0, 3, 2])
    );
    assert_eq!(order([1., 1., 3., 4.], [3., 1., 4., 1.]), Some(None));
}

#[rstest]
#[case("HWC", 0)]
#[case("CWH", 1)]
#[case("H", 2)]
#[case("HW", 3)]
#[case("C", 4)]
fn arrangements(#[case] name: &str, #[case] kind: usize) {
    let lab = lab();
    let right = lab.output("pool2"); // [2, 16, 5, 5]
    let hwc = (Step::Flatten(FlattenOrder::Hwc).run(right).unwrap())
        .reshape(right.shape())
        .unwrap();
    let moved = |f: &dyn Fn(usize, usize, usize) -> [usize; 3]| {
        changed(right, |at, _| {
            let [c, y, x] = f(at[1], at[2], at[3]);
            right[[at[0], c, y, x]]
        })
    };
    let wrong = match kind {
        0 => hwc,
        1 => moved(&|c, y, x| [c, x, y]),
        2 => moved(&|c, y, x| [c, 4 - y, x]),
        3 => moved(&|c, y, x| [c, 4 - y, 4 - x]),
        _ => moved(&|c, y, x| [15 - c, y, x]),
    };
    let arrangement = match kind {
        0 | 1 => Arrangement::Axes { axes: name.into() },
        _ => Arrangement::Reversed { axes: name.into() },
    };
    let wanted = Finding::Rearranged {
        arrangement: Some(arrangement),
    };
    assert!(lab.findings("pool2", "pool2", &wrong).contains(&wanted));
    // One value that was not there.
    let mut other = wrong.clone();
    other.data_mut()[0] += 1.0;
    let found = lab.findings("pool2", "pool2", &other);
    assert!(!has(&found, |f| matches!(f, Finding::Rearranged { .. })));
}

#[test]
fn channels_in_another_order_and_a_flattened_map() {
    let lab = lab();
    let right = lab.output("pool2");
    let swap = |c: usize| [1, 0].get(c).copied().unwrap_or(c);
    let wrong = changed(right, |at, _| right[[at[0], swap(at[1]), at[2], at[3]]]);
    let order = (0..16).map(swap).collect();
    let wanted = Finding::Rearranged {
        arrangement: Some(Arrangement::Channels { order }),
    };
    let found = lab.findings("pool2", "pool2", &wrong);
    assert!(found.contains(&wanted), "{found:?}");
    let flat = Step::Flatten(FlattenOrder::Hwc).run(right).unwrap();
    let axes = Finding::Rearranged {
        arrangement: Some(Arrangement::Axes { axes: "HWC".into() }),
    };
    assert!(lab.findings("flatten", "flatten", &flat).contains(&axes));
}
