//! A verdict as one HTML file with pictures.

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use super::human::{joined, names, result};
use super::stretch::{Finding, Stretch};
use super::{Apart, ErrorMap, ProbeVerdict, TrialVerdict, Verdict};
use crate::{mistakes, page};

#[derive(Serialize)]
struct TrialView<'a> {
    network: &'a str,
    scheme: &'a str,
    contract: &'a str,
    failure: Option<&'a str>,
    follows: String,
    passed: bool,
    blame: Option<String>,
    probes: Vec<ProbeView<'a>>,
    problems: Vec<(&'a str, &'a str)>,
}

#[derive(Serialize)]
struct ProbeView<'a> {
    name: &'a str,
    images: usize,
    rows: Vec<RowView>,
}

#[derive(Serialize)]
struct RowView {
    layer: String,
    shape: String,
    differing: usize,
    compared: usize,
    /// Of the values that differ, 0 to 100.
    share: f64,
    /// equal, explained or differs.
    kind: &'static str,
    result: String,
    finding: Option<FindingView>,
}

#[derive(Serialize)]
struct FindingView {
    causes: Vec<CauseView>,
    evidence: Vec<String>,
    worked: Vec<String>,
    apart: Vec<String>,
    map: Option<MapView>,
}

#[derive(Serialize)]
struct CauseView {
    /// The mistakes or contracts that together make the values.
    name: String,
    says: Vec<(String, &'static str)>,
}

#[derive(Serialize)]
struct MapView {
    caption: String,
    paths: Vec<String>,
    width: usize,
    height: usize,
}

/// The whole verdict; needs no network, opens from disk, light and dark.
///
/// # Errors
/// None for the template that is built in.
pub fn render(verdict: &Verdict) -> Result<String, minijinja::Error> {
    let trials: Vec<TrialView> = verdict.trials.iter().map(trial).collect();
    let context = context! {
        backend => verdict.backend.clone(),
        passed => verdict.passed(),
        summary => super::human::last_line(verdict),
        trials => Value::from(Serde(trials)),
    };
    page::render(include_str!("page.html"), context)
}

fn trial(trial: &TrialVerdict) -> TrialView<'_> {
    TrialView {
        network: &trial.network,
        scheme: &trial.scheme,
        contract: &trial.contract,
        failure: trial.failure.as_deref(),
        follows: trial.follows.join(" = "),
        passed: trial.passed(),
        blame: trial.to_blame().map(|(probe, stretch)| {
            let names = stretch.finding().map(names).unwrap_or_default();
            format!("{} ({}): {names}", stretch.name(), probe.probe)
        }),
        probes: trial.probes.iter().map(probe).collect(),
        problems: (trial.probes.iter().flat_map(|probe| &probe.problems))
            .map(|problem| (problem.file.as_str(), problem.what.as_str()))
            .collect(),
    }
}

fn probe(probe: &ProbeVerdict) -> ProbeView<'_> {
    ProbeView {
        name: &probe.probe,
        images: probe.images,
        rows: probe.stretches.iter().map(row).collect(),
    }
}

fn row(stretch: &Stretch) -> RowView {
    let shape: Vec<String> = stretch.shape.iter().map(usize::to_string).collect();
    RowView {
        layer: stretch.name(),
        shape: shape.join("×"),
        differing: stretch.differing,
        compared: stretch.compared,
        share: 100.0 * stretch.differing as f64 / stretch.compared.max(1) as f64,
        kind: stretch.outcome.kind(),
        result: result(&stretch.outcome),
        finding: stretch.finding().map(finding),
    }
}

fn finding(finding: &Finding) -> FindingView {
    FindingView {
        causes: (finding.explanations.iter())
            .map(|causes| CauseView {
                name: joined(causes),
                says: (causes.iter())
                    .filter_map(|cause| mistakes::find(&cause.id))
                    .flat_map(|mistake| {
                        [
                            ("done".to_owned(), mistake.what),
                            ("right".to_owned(), mistake.right),
                            ("mend".to_owned(), mistake.mend),
                        ]
                    })
                    .collect(),
            })
            .collect(),
        evidence: finding.evidence.clone(),
        worked: finding.worked.clone(),
        apart: finding.apart.as_ref().map(Apart::lines).unwrap_or_default(),
        map: finding.map.as_ref().map(map),
    }
}

/// Channels of a map side by side.
const PER_ROW: usize = 8;

fn map(map: &ErrorMap) -> MapView {
    let (paths, [width, height]) = map.paths(PER_ROW);
    let [channels, rows, columns] = map.shape;
    MapView {
        caption: format!(
            "{channels} channels of {rows}×{columns}, darker where more of {} images differ",
            map.images
        ),
        paths,
        width,
        height,
    }
}
