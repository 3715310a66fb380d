//! A verdict for a terminal.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};

use super::stretch::{Finding, Outcome, Stretch};
use super::{ProbeVerdict, TrialVerdict, Verdict};
use crate::backend::Problem;
use crate::diagnosis::Cause;
use crate::mistakes;

/// Tables, then what was found, then the verdict as the last line.
pub fn render(verdict: &Verdict) -> String {
    let mut text = String::new();
    for trial in &verdict.trials {
        trial_text(&mut text, verdict, trial);
    }
    let _ = writeln!(text, "{}", last_line(verdict));
    text
}

fn trial_text(text: &mut String, verdict: &Verdict, trial: &TrialVerdict) {
    let TrialVerdict {
        network,
        scheme,
        contract,
        ..
    } = trial;
    let backend = &verdict.backend;
    let _ = writeln!(
        text,
        "{backend}: {network}, {scheme}, contract {contract}\n"
    );
    if let Some(failure) = &trial.failure {
        let _ = writeln!(text, "{failure}\n");
        return;
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(["case", "layer", "shape", "differ", "result"]);
    for probe in &trial.probes {
        for stretch in &probe.stretches {
            table.add_row(row(probe, stretch));
        }
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if at == 3 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let _ = writeln!(text, "{}\n", table.trim_fmt());
    for problem in trial.probes.iter().flat_map(|probe| &probe.problems) {
        let _ = writeln!(text, "{}: {}", problem.file, problem.what);
    }
    if !trial.passed() && !trial.follows.is_empty() {
        let follows = trial.follows.join(" = ");
        let _ = writeln!(text, "Every tensor shown is that of contract {follows}.\n");
    }
    if let Some((probe, stretch)) = trial.to_blame() {
        blame(text, probe, stretch);
    }
}

fn row(probe: &ProbeVerdict, stretch: &Stretch) -> [String; 5] {
    let shape: Vec<String> = stretch.shape.iter().map(usize::to_string).collect();
    [
        probe.probe.clone(),
        stretch.name(),
        shape.join("×"),
        stretch.differing.to_string(),
        result(&stretch.outcome),
    ]
}

/// In words.
pub(super) fn result(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Equal => "equal".to_owned(),
        Outcome::ExplainedByInput => "explained by its input".to_owned(),
        Outcome::EqualDespiteInput => {
            "equal, though not what the tensor before it makes".to_owned()
        }
        Outcome::Differs(finding) => format!("DIFFERS: {}", names(finding)),
    }
}

/// The causes of a finding, those that cannot be told apart joined by "or".
pub(super) fn names(finding: &Finding) -> String {
    let explanations: Vec<String> = (finding.explanations.iter())
        .map(|causes| joined(causes))
        .collect();
    match explanations.as_slice() {
        [] => "unknown".to_owned(),
        [one] => one.clone(),
        [first, second] => format!("{first} or {second}"),
        [first, rest @ ..] => format!("{first} or one of {} others", rest.len()),
    }
}

/// The causes that together make the values.
pub(super) fn joined(causes: &[Cause]) -> String {
    let causes: Vec<String> = causes.iter().map(ToString::to_string).collect();
    causes.join(" and ")
}

/// How many explanations are told at length; the others by name.
const TOLD: usize = 3;

fn blame(text: &mut String, probe: &ProbeVerdict, stretch: &Stretch) {
    let Some(finding) = stretch.finding() else {
        return;
    };
    let _ = writeln!(
        text,
        "First to blame: {} ({}), {} of {} values are not what the right model makes of its input.",
        stretch.name(),
        probe.probe,
        finding.differing,
        stretch.compared
    );
    let (told, others) = finding
        .explanations
        .split_at(finding.explanations.len().min(TOLD));
    for causes in told {
        for cause in causes {
            let _ = writeln!(text, "\n  {cause}, in {}", cause.node);
            if let Some(mistake) = mistakes::find(&cause.id) {
                let _ = writeln!(text, "    done:  {}", mistake.what);
                let _ = writeln!(text, "    right: {}", mistake.right);
                let _ = writeln!(text, "    mend:  {}", mistake.mend);
                let _ = writeln!(text, "    more:  docs/mistakes/{}.md", mistake.id);
            }
            if let Some(contract) = cause.contract() {
                let _ = writeln!(text, "    more:  cargo xtask contracts --name {contract}");
            }
        }
    }
    if !others.is_empty() {
        let placed = |cause: &Cause| format!("{cause}, in {}", cause.node);
        let others: Vec<String> = (others.iter())
            .map(|causes| causes.iter().map(placed).collect::<Vec<_>>().join(" and "))
            .collect();
        let _ = writeln!(text, "\n  or: {}", others.join("; "));
    }
    for line in &finding.evidence {
        let _ = writeln!(text, "  {line}");
    }
    if !finding.worked.is_empty() {
        let _ = writeln!(text, "\n  One output by hand:\n");
    }
    for line in &finding.worked {
        let _ = writeln!(text, "    {line}");
    }
    if let Some(apart) = &finding.apart {
        let _ = writeln!(text);
        for line in apart.lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    let _ = writeln!(text);
}

/// The verdict in one line.
pub(super) fn last_line(verdict: &Verdict) -> String {
    let compared: usize = verdict.trials.iter().map(TrialVerdict::compared).sum();
    let count = verdict.trials.len();
    let networks = match count {
        1 => "1 network".to_owned(),
        _ => format!("{count} networks"),
    };
    if verdict.passed() {
        return format!("equal: {compared} values of {networks}");
    }
    let first = (verdict.trials.iter()).find_map(|trial| {
        let (_, stretch) = trial.to_blame()?;
        let finding = stretch.finding()?;
        Some(format!(
            "DIFFERS first in {}, {}: {}",
            trial.network,
            stretch.name(),
            names(finding)
        ))
    });
    match first.or_else(|| verdict.trials.iter().find_map(unusable)) {
        Some(first) => first,
        None => "FAILS: nothing could be compared".to_owned(),
    }
}

/// Why a network's answers were not compared, at least in part.
fn unusable(trial: &TrialVerdict) -> Option<String> {
    let network = &trial.network;
    if let Some(failure) = &trial.failure {
        let first = failure.lines().next().unwrap_or_default();
        return Some(format!("FAILS: {network}: {first}"));
    }
    let problem = (trial.probes.iter()).find_map(|probe| probe.problems.first())?;
    let Problem { file, what } = problem;
    Some(format!("FAILS: {network}: {file}: {what}"))
}
