//! What C has no words for, and names that are none.

use std::sync::{Arc, OnceLock};

use rstest::rstest;
use verify::export::Options;
use verify::model::{
    Accumulator, Arithmetic, Function, GOLDEN, Model, ModelScheme, Overflow, Step,
};

use crate::exports::subject::Subject;

/// The step of this node.
fn step<'a>(model: &'a mut Model, name: &str) -> &'a mut Step {
    let at = model.position(name).unwrap();
    &mut model.nodes[at].step
}

fn refused(change: impl FnOnce(&mut Model), name: Option<&str>) -> String {
    static SUBJECT: OnceLock<Subject> = OnceLock::new();
    let base = SUBJECT.get_or_init(|| Subject::new("mlp-mnist", ModelScheme::MaxAbs, GOLDEN));
    let mut subject = Subject {
        model: base.model.clone(),
        images: base.images.clone(),
    };
    change(&mut subject.model);
    let options = Options {
        images: 1,
        name: name.map(str::to_owned),
        ..Options::default()
    };
    subject.export("c", &options).unwrap_err().to_string()
}

#[rstest]
#[case("", "it is empty")]
#[case("2nd", "it does not begin with a letter")]
#[case("int", "it is a keyword")]
#[case("réseau", "it has characters other than")]
fn a_name_that_is_none_is_refused(#[case] name: &str, #[case] why: &str) {
    let said = refused(|_| (), Some(name));
    let expected = format!("mlp-mnist, input: C cannot express the name {name:?}: {why}");
    assert!(said.starts_with(&expected), "{said}");
    assert!(said.ends_with("; give another one with --name"), "{said}");
}

#[test]
fn a_name_replaces_the_network_s() {
    let subject = Subject::new("lab-bias", ModelScheme::MaxAbs, GOLDEN);
    let header = |name: Option<&str>| {
        let options = Options {
            images: 1,
            name: name.map(str::to_owned),
            ..Options::default()
        };
        let artifacts = subject.export("c", &options).unwrap();
        String::from_utf8(artifacts[0].bytes.clone()).unwrap()
    };
    assert!(header(None).contains("int lab_bias_run(const lab_bias_input *input,"));
    assert!(header(Some("net-2")).contains("#define NET_2_OUTPUTS 10\n"));
}

#[test]
fn what_is_no_int8_network_is_refused_by_its_layer() {
    type Change = fn(&mut Model);
    let changes: [(&str, Change); 9] = [
        (
            "fc2: C cannot express an accumulator that is not exact",
            |model| {
                if let Step::Accumulate(accumulate) = step(model, "fc2.accumulators") {
                    accumulate.accumulator = Accumulator::OfSum(Arc::new(|_, sum| sum));
                }
            },
        ),
        (
            "fc2: C cannot express a bias that int32 does not hold",
            |model| {
                if let Step::Accumulate(accumulate) = step(model, "fc2.accumulators") {
                    accumulate.bias[3] = 1 << 31;
                }
            },
        ),
        (
            "fc2: C cannot express weights that one byte does not hold",
            |model| {
                if let Step::Accumulate(accumulate) = step(model, "fc2.accumulators") {
                    accumulate.weight.data_mut()[..2].copy_from_slice(&[-1, 128]);
                }
            },
        ),
        (
            "fc1: C cannot express a requantization that is no contract's",
            |model| {
                if let Step::Requantize(requantize) = step(model, "fc1") {
                    requantize.arithmetic = Arithmetic::other(|_, acc| acc);
                }
            },
        ),
        (
            "fc1: C cannot express a requantization that is no contract's",
            |model| {
                if let Step::Requantize(requantize) = step(model, "fc1") {
                    requantize.overflow = Overflow::other(|_, code| code);
                }
            },
        ),
        (
            "fc1: C cannot express channels whose codes differ",
            |model| {
                if let Step::Requantize(requantize) = step(model, "fc1") {
                    requantize.channels[1].clamp.low = 0;
                }
            },
        ),
        (
            "fc2: C cannot express a second arithmetic in one network",
            |model| {
                if let Step::Requantize(requantize) = step(model, "fc2") {
                    requantize.arithmetic = Arithmetic::Product(quant::Rounding::TiesToEven);
                }
            },
        ),
        (
            "input: C cannot express channels in another order",
            |model| {
                if let Step::Quantize(quantize) = step(model, "input") {
                    quantize.channels = vec![0, 0];
                }
            },
        ),
        (
            "fc1: C cannot express a second layer whose name becomes fc1",
            |model| {
                let at = model.position("fc2").unwrap();
                for node in &mut model.nodes[at - 1..=at] {
                    node.name = node.name.replace("fc2", "fc1");
                }
            },
        ),
    ];
    for (expected, change) in changes {
        let said = refused(change, None);
        assert!(
            said.starts_with(&format!("mlp-mnist, {expected}")),
            "{said}"
        );
    }
    let other =
        |model: &mut Model| *step(model, "relu1") = Step::Other(Function::new(|x| Ok(x.clone())));
    assert!(refused(other, None).contains("relu1: C cannot express a step that no layer has"));
    let empty = |model: &mut Model| model.nodes.truncate(1);
    assert!(refused(empty, None).contains("input: C cannot express a network without layers"));
}
