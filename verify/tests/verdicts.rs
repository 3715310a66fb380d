//! A backend in this process, right or wrong in one step: which layer is blamed, and for what.

use std::sync::OnceLock;

use quant::contracts;
use reference::Tensor;
use verify::backend::{Answer, Backend, BackendError, Problem, Shown, Trial};
use verify::diagnosis::Cause;
use verify::model::{Arithmetic, FlattenOrder, GOLDEN, Model, ModelScheme, Step, Values};
use verify::verdict::{
    MergeError, Outcome, Stretch, TrialVerdict, Verdict, merge, parse_json, render_human,
    render_json, render_junit, render_page,
};

use crate::common::load_traced;

/// The model with some steps changed, showing only some layers.
struct Wrong {
    steps: Vec<(&'static str, Step)>,
    shows: fn(&str) -> bool,
}

impl Backend for Wrong {
    fn name(&self) -> String {
        "wrong".into()
    }

    fn run(&mut self, trial: &Trial) -> Result<Vec<Answer>, BackendError> {
        let answer = |probe: &verify::backend::Probe| {
            let mut x: Values = probe.input.clone();
            let mut answer = Answer {
                probe: probe.name.clone(),
                ..Answer::default()
            };
            for at in probe.nodes.clone() {
                let node = &trial.model.nodes[at];
                let changed = self.steps.iter().find(|(name, _)| *name == node.name);
                x = changed
                    .map_or(&node.step, |(_, step)| step)
                    .run(&x)
                    .unwrap();
                if (self.shows)(&node.name) {
                    answer.tensors.push(Shown {
                        node: at,
                        values: x.clone(),
                    });
                }
            }
            answer
        };
        Ok(trial.probes.iter().map(answer).collect())
    }
}

fn trial() -> &'static Trial {
    static TRIAL: OnceLock<Trial> = OnceLock::new();
    TRIAL.get_or_init(|| {
        let (fixture, images, _) = load_traced("lab");
        let model = Model::new(&fixture, &images, ModelScheme::MaxAbs, GOLDEN).unwrap();
        Trial::of(model, &images.pixels.head(4).map(f64::from), 2).unwrap()
    })
}

fn judge(steps: Vec<(&'static str, Step)>, shows: fn(&str) -> bool) -> Verdict {
    let mut backend = Wrong { steps, shows };
    let answers = backend.run(trial()).unwrap();
    let judged = TrialVerdict::new(trial(), &answers).unwrap();
    Verdict::new(backend.name(), vec![judged])
}

fn hwc() -> Vec<(&'static str, Step)> {
    vec![("flatten", Step::Flatten(FlattenOrder::Hwc))]
}

fn codes_only(node: &str) -> bool {
    !node.ends_with(".accumulators")
}

#[test]
fn a_right_backend_is_equal_throughout() {
    let verdict = judge(Vec::new(), |_| true);
    assert!(verdict.passed());
    let (steps, shows): (_, fn(&str) -> bool) = (Vec::new(), |_| true);
    assert!(Wrong { steps, shows }.remarks().is_empty());
    let trial = &verdict.trials[0];
    assert!(trial.compared() > 100_000 && trial.to_blame().is_none());
    // Others make the same of these images: Karat's own is enough.
    assert_eq!(trial.follows, [GOLDEN]);
    let text = render_human(&verdict);
    assert!(!text.contains("Every tensor shown is"), "{text}");
    let last = format!("equal: {} values of 1 network\n", trial.compared());
    assert!(text.ends_with(&last), "{text}");
}

#[test]
fn the_first_bad_layer_is_blamed_and_no_later_one() {
    let verdict = judge(hwc(), codes_only);
    assert!(!verdict.passed());
    let trial = &verdict.trials[0];
    let (probe, stretch) = trial.to_blame().unwrap();
    assert_eq!(
        (probe.probe.as_str(), stretch.name().as_str()),
        ("network", "flatten")
    );
    let finding = stretch.finding().unwrap();
    assert_eq!(finding.explanations[0][0].id, "flatten-hwc");
    let network = &trial.probes[0];
    let after = network
        .stretches
        .iter()
        .skip_while(|other| *other != stretch)
        .skip(1);
    let mut explained = 0;
    for later in after {
        assert_eq!(later.outcome, Outcome::ExplainedByInput, "{}", later.name());
        explained += 1;
    }
    assert!(explained >= 4);
    // By itself every other layer is right.
    let blamed: Vec<&str> = (trial.probes.iter())
        .filter(|probe| probe.stretches.iter().any(|stretch| !stretch.is_right()))
        .map(|probe| probe.probe.as_str())
        .collect();
    assert_eq!(blamed, ["network", "layer-flatten"]);
}

/// What is wrong after the first is named, and not worked out.
#[test]
fn a_second_bad_layer_has_its_own_name() {
    let fc2 = trial().model.position("fc2").unwrap();
    let Step::Requantize(mut floor) = trial().model.nodes[fc2].step.clone() else {
        panic!("fc2 requantizes");
    };
    floor.arithmetic = Arithmetic::Division(quant::Rounding::Floor);
    let steps = [hwc(), vec![("fc2", Step::Requantize(floor))]].concat();
    let verdict = judge(steps, codes_only);
    let findings: Vec<(String, bool, bool)> = (verdict.trials[0].probes[0].stretches.iter())
        .filter_map(|stretch| {
            let finding = stretch.finding()?;
            let id = &finding.explanations[0][0].id;
            Some((
                id.clone(),
                finding.worked.is_empty(),
                finding.apart.is_none(),
            ))
        })
        .collect();
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert_eq!(
        (findings[0].0.as_str(), findings[0].1),
        ("flatten-hwc", false)
    );
    assert!(findings[1].0.starts_with("floor"), "{findings:?}");
    assert!(findings[1].1 && findings[1].2, "{findings:?}");
}

#[test]
fn a_backend_that_shows_its_logits_only_is_diagnosed_too() {
    let verdict = judge(hwc(), |node| node == "fc3");
    let (_, stretch) = verdict.trials[0].to_blame().unwrap();
    assert_eq!(stretch.name(), "input … fc3");
    assert_eq!(
        stretch.finding().unwrap().explanations[0][0].id,
        "flatten-hwc"
    );
}

#[test]
fn a_contract_that_is_followed_throughout_is_named() {
    let contract = contracts::find("litert-reference-conv").unwrap();
    let steps = ["conv1", "conv2", "fc1", "fc2", "fc3"].map(|layer| {
        let node = &trial().model.nodes[trial().model.position(layer).unwrap()];
        let Step::Requantize(mut requantize) = node.step.clone() else {
            panic!("{layer} requantizes");
        };
        requantize.arithmetic = Arithmetic::Contract(contract);
        (layer, Step::Requantize(requantize))
    });
    let verdict = judge(steps.to_vec(), codes_only);
    let trial = &verdict.trials[0];
    assert!(!verdict.passed());
    assert!(
        trial.follows.contains(&contract.name.to_owned()),
        "{:?}",
        trial.follows
    );
    assert!(!trial.follows.contains(&GOLDEN.to_owned()));
}

#[test]
fn a_contract_of_one_layer_is_named_with_its_page() {
    let other = trial().model.clone().with_contract("q16-floor").unwrap();
    let at = other.position("conv2").unwrap();
    let verdict = judge(vec![("conv2", other.nodes[at].step.clone())], codes_only);
    let (_, stretch) = verdict.trials[0].to_blame().unwrap();
    let named: Vec<&str> = (stretch.finding().unwrap().explanations.iter())
        .filter_map(|causes| causes[0].contract())
        .collect();
    assert!(named.contains(&"q16-floor"), "{named:?}");
    let text = render_human(&verdict);
    let page = format!("more:  cargo xtask contracts --name {}\n", named[0]);
    assert!(text.contains(&page), "{text}");
}

#[test]
fn shards_merge_to_the_verdict_of_one_run() {
    let whole = judge(hwc(), codes_only);
    let part = |at: usize| {
        let mut part = whole.clone();
        let mut count = 0;
        part.trials[0].probes.retain(|_| {
            count += 1;
            (count - 1) % 2 == at
        });
        part.shard = Some([at + 1, 2]);
        parse_json(&render_json(&part)).unwrap()
    };
    assert_eq!(merge(vec![part(1), part(0)]), Ok(whole.clone()));
    assert_eq!(
        merge(vec![part(1)]),
        Err(MergeError::Missing {
            missing: "1/2".into(),
            of: 2
        })
    );
    let mut of_three = part(1);
    of_three.shard = Some([2, 3]);
    assert_eq!(
        merge(vec![part(0), of_three]),
        Err(MergeError::Divided { one: 2, other: 3 })
    );
    assert!(matches!(
        merge(vec![part(0), part(0)]),
        Err(MergeError::Twice { probe, .. }) if probe == "network"
    ));
    let mut other = part(1);
    other.backend = "another".into();
    assert!(matches!(
        merge(vec![part(0), other]),
        Err(MergeError::Backends { .. })
    ));
    assert_eq!(merge(Vec::new()), Err(MergeError::Nothing));
    let newer = render_json(&whole).replacen("\"format\": 1", "\"format\": 2", 1);
    assert_eq!(parse_json(&newer), Err("format 2, expected 1".into()));
}

#[test]
fn what_has_no_answer_has_not_passed() {
    let nothing = TrialVerdict::new(trial(), &[]).unwrap();
    assert!(!nothing.passed());
    let failed = Verdict::new(
        "hangs",
        vec![TrialVerdict::failed(trial(), "no answer within 1 s")],
    );
    assert!(!failed.passed());
    assert!(render_human(&failed).contains("no answer within 1 s"));
    assert!(render_junit(&failed).contains("no answer within 1 s"));
    assert!(!Verdict::new("none", Vec::new()).passed());
}

#[test]
fn a_name_must_hold_on_all_that_is_shown() {
    let mut wrong = Wrong {
        steps: hwc(),
        shows: codes_only,
    };
    // Wrong in the layer by itself, right in the network: no one mistake does that.
    let mut answers = wrong.run(trial()).unwrap();
    wrong.steps.clear();
    answers[0] = wrong.run(trial()).unwrap().remove(0);
    let judged = TrialVerdict::new(trial(), &answers).unwrap();
    let (_, stretch) = judged.to_blame().unwrap();
    let finding = stretch.finding().unwrap();
    assert!(finding.explanations.is_empty());
    let said = finding.evidence.join("; ");
    assert!(
        said.contains("flatten-hwc makes these values, but not all others"),
        "{said}"
    );
}

#[test]
fn right_codes_beside_wrong_accumulators_are_not_to_blame() {
    let mut backend = Wrong {
        steps: Vec::new(),
        shows: |_| true,
    };
    let mut answers = backend.run(trial()).unwrap();
    for shown in answers.iter_mut().flat_map(|answer| &mut answer.tensors) {
        if trial().model.nodes[shown.node].name == "conv1.accumulators" {
            shown.values = shown.values.map(|_| 0.0);
        }
    }
    let judged = TrialVerdict::new(trial(), &answers).unwrap();
    assert!(!judged.passed());
    let (_, stretch) = judged.to_blame().unwrap();
    assert!(stretch.accumulators && stretch.name().starts_with("conv1"));
    let said = stretch.finding().unwrap().evidence.join("; ");
    assert!(
        said.contains("they were not used, or a later step makes up for it"),
        "{said}"
    );
    let despite = (judged.probes.iter().flat_map(|probe| &probe.stretches))
        .filter(|stretch| stretch.outcome == Outcome::EqualDespiteInput);
    // In the network, in the layer by itself and on directed inputs.
    assert_eq!(despite.map(Stretch::name).collect::<Vec<_>>(), ["conv1"; 3]);
    let verdict = Verdict::new("zeros", vec![judged]);
    let text = render_human(&verdict);
    assert!(text.contains("equal, though not what the tensor before it makes"));
    assert!(
        text.trim_end()
            .lines()
            .last()
            .unwrap()
            .starts_with("DIFFERS first in lab, conv1")
    );
    let failures = render_junit(&verdict).matches("<failure").count();
    assert_eq!(failures, 3, "the accumulators, each time");
    let page = render_page(&verdict).unwrap();
    assert_eq!(page.matches("<tr class=\"differs\">").count(), 3);
    assert_eq!(parse_json(&render_json(&verdict)), Ok(verdict));
}

#[test]
fn a_file_that_cannot_be_compared_is_named_in_the_last_line() {
    let mut answers = Wrong {
        steps: Vec::new(),
        shows: |node| node == "fc3",
    }
    .run(trial())
    .unwrap();
    answers[0].problems.push(Problem {
        file: "outputs/network/conv1.npy".into(),
        what: "it is no npy".into(),
    });
    let judged = TrialVerdict::new(trial(), &answers).unwrap();
    let text = render_human(&Verdict::new("half", vec![judged]));
    let last = text.trim_end().lines().last();
    assert_eq!(
        last,
        Some("FAILS: lab: outputs/network/conv1.npy: it is no npy")
    );
    let failed = TrialVerdict::failed(trial(), "no answer within 1 s\nits stderr");
    let text = render_human(&Verdict::new("hangs", vec![failed]));
    let last = text.trim_end().lines().last();
    assert_eq!(last, Some("FAILS: lab: no answer within 1 s"));
}

#[test]
fn many_explanations_are_named_and_three_are_told() {
    let verdict = judge(hwc(), codes_only);
    let cause = |id: &str| Cause {
        node: "flatten".into(),
        id: id.into(),
        parameters: String::new(),
    };
    let mut many = verdict.clone();
    for probe in &mut many.trials[0].probes {
        for stretch in &mut probe.stretches {
            if let Outcome::Differs(finding) = &mut stretch.outcome {
                finding.explanations = [
                    "floor-activations",
                    "half-up",
                    "ceiling",
                    "relu6",
                    "half-down",
                ]
                .map(|id| vec![cause(id)])
                .to_vec();
            }
        }
    }
    let text = render_human(&many);
    assert_eq!(text.matches("    mend:  ").count(), 3);
    assert!(
        text.contains("\n  or: relu6, in flatten; half-down, in flatten\n"),
        "{text}"
    );
    assert!(text.contains("floor-activations or one of 4 others"));
    assert!(!render_human(&verdict).contains("\n  or: "));
}

#[test]
fn a_tensor_of_another_shape_differs_without_a_name() {
    let mut answer = Wrong {
        steps: Vec::new(),
        shows: |node| node == "fc3",
    }
    .run(trial())
    .unwrap()
    .remove(0);
    answer.tensors[0].values = Tensor::full(&[4, 9], 0.0).unwrap();
    let judged = TrialVerdict::new(trial(), &[answer]).unwrap();
    let (_, stretch) = judged.to_blame().unwrap();
    assert!(stretch.finding().unwrap().explanations.is_empty());
}

/// What the README shows: `wrong.py --mistake floor` on as many images as `verify` takes.
#[test]
fn rounding_down_in_one_layer() {
    let (fixture, images, _) = load_traced("lab");
    let model = Model::new(&fixture, &images, ModelScheme::MaxAbs, GOLDEN).unwrap();
    let Step::Requantize(mut floor) = model.nodes[model.position("conv1").unwrap()].step.clone()
    else {
        panic!("conv1 requantizes");
    };
    floor.arithmetic = Arithmetic::Division(quant::Rounding::Floor);
    let trial = Trial::of(model, &images.pixels.map(f64::from), 4).unwrap();
    let mut backend = Wrong {
        steps: vec![("conv1", Step::Requantize(floor))],
        shows: |node| node != "input",
    };
    let answers = backend.run(&trial).unwrap();
    let judged = TrialVerdict::new(&trial, &answers).unwrap();
    insta::assert_snapshot!("floor", render_human(&Verdict::new("wrong", vec![judged])));
}

#[test]
fn as_people_and_machines_read_it() {
    let verdict = judge(hwc(), codes_only);
    insta::assert_snapshot!("human", render_human(&verdict));
    insta::assert_snapshot!("junit", render_junit(&verdict));
    let page = render_page(&verdict).unwrap();
    for text in [
        "flatten-hwc",
        "explained by its input",
        "<svg",
        "First to blame",
        r#"title="1102 of 1600"><i style="width: 68.8"#,
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("http"), "the page needs no network");
}
