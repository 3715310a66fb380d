//! Every file against what it should hold.

use std::collections::{BTreeMap, HashMap};

use super::hypothesis::Maker;
use super::{Finding, Folder, Hypothesis, Import, causes};
use crate::export::nntool::header::NodeScale;
use crate::export::nntool::names::{same_node, without_step};
use crate::export::nntool::qscale::{Form, QScale};
use crate::export::nntool::steps::{Constant, Step};
use crate::export::nntool::tensors::{Elements, SizeError};

/// Which file of a folder holds which constant.
struct Paired {
    files: HashMap<String, String>,
}

impl Paired {
    fn new(folder: &Folder, hypothesis: &Hypothesis) -> Self {
        let wanted: Vec<String> = hypothesis.steps.constants().map(Constant::file).collect();
        Self {
            files: pairs(&wanted, folder.tensors.keys()),
        }
    }

    /// The file of a constant: its name and its values.
    fn read<'f>(
        &self,
        folder: &'f Folder,
        constant: &Constant,
    ) -> Option<(&'f str, Result<Elements, SizeError>)> {
        let (file, bytes) = folder
            .tensors
            .get_key_value(self.files.get(&constant.file())?)?;
        let values = &constant.values;
        Some((
            file,
            Elements::from_bytes(values.element(), values.len(), bytes),
        ))
    }

    /// Whether the file of a constant holds its values.
    fn holds(&self, folder: &Folder, constant: &Constant) -> bool {
        (self.read(folder, constant))
            .is_some_and(|(_, values)| values.as_ref() == Ok(&constant.values))
    }
}

/// Which file is which: by its name, and where a graph counts its steps otherwise (an image
/// formatter is one), by the order of the steps.
fn pairs<'a>(
    wanted: &[String],
    found: impl Iterator<Item = &'a String>,
) -> HashMap<String, String> {
    // By what follows the step: the steps, and the names.
    fn by_rest<'n>(
        names: impl Iterator<Item = &'n String>,
    ) -> BTreeMap<&'n str, BTreeMap<u64, &'n String>> {
        let mut groups: BTreeMap<&str, BTreeMap<u64, &String>> = BTreeMap::new();
        for name in names {
            // What is counted beyond any step stays unknown.
            let (step, rest) = without_step(name);
            let step = step.and_then(|step| step.parse().ok()).unwrap_or(u64::MAX);
            groups.entry(rest).or_default().insert(step, name);
        }
        groups
    }
    let found = by_rest(found);
    let mut pairs = HashMap::new();
    for (rest, wanted) in by_rest(wanted.iter()) {
        let Some(found) = found.get(rest) else {
            continue;
        };
        match found.len() == wanted.len() {
            true => {
                let both = wanted.values().zip(found.values());
                pairs.extend(both.map(|(wanted, found)| ((*wanted).clone(), (*found).clone())));
            }
            false => pairs.extend(
                (wanted.iter())
                    .filter(|(step, _)| found.contains_key(step))
                    .map(|(_, name)| ((*name).clone(), (*name).clone())),
            ),
        }
    }
    pairs
}

/// Whether all that the folder holds is as a hypothesis has it. Every hypothesis of a maker names
/// the same files, so that what differs from one is compared with each.
fn all_equal(folder: &Folder, hypothesis: &Hypothesis) -> bool {
    let paired = Paired::new(folder, hypothesis);
    let tensors = hypothesis.steps.constants().all(|constant| {
        let found = paired.read(folder, constant);
        found.is_none_or(|(_, values)| values.as_ref() == Ok(&constant.values))
    });
    let scales = (hypothesis.steps.steps.iter()).all(|step| {
        let found = node(folder, step);
        found.is_none_or(|(_, node)| same_scale(node, step) && same_zero_point(node, step))
    });
    tensors && scales
}

/// What the header says of a step.
pub(super) fn node<'a>(folder: &'a Folder, step: &Step) -> Option<(&'a str, &'a NodeScale)> {
    let (file, nodes) = folder.header.as_ref()?;
    Some((file, same_node(&step.name, nodes, |node| &node.node)?))
}

/// A header may hold float64 or the decimals of a float32.
fn same_scale(node: &NodeScale, step: &Step) -> bool {
    node.scale == step.scale || node.scale as f32 == step.scale as f32
}

fn same_zero_point(node: &NodeScale, step: &Step) -> bool {
    node.zero_point
        .is_none_or(|zero_point| zero_point == step.zero_point)
}

/// Adds what is equal and what differs.
pub(super) fn compare(folder: &Folder, basis: &Hypothesis, maker: &Maker, import: &mut Import) {
    // What makes all files equal is the cause of all that differs.
    let whole = || (maker.others().iter()).find(|other| all_equal(folder, other));
    header(folder, basis, maker, import);
    let paired = Paired::new(folder, basis);
    for (at, constant) in basis.steps.constants().enumerate() {
        let Some((file, read)) = paired.read(folder, constant) else {
            if !folder.tensors.is_empty() {
                import.findings.push(Finding {
                    file: constant.file(),
                    what: format!(
                        "is missing; expected {} values of {}",
                        constant.values.len(),
                        constant.values.element().name()
                    ),
                    cause: None,
                });
            }
            continue;
        };
        let by_other = || {
            let same = |other: &&Hypothesis| {
                let constant = other.steps.constants().nth(at);
                constant.is_some_and(|constant| Paired::new(folder, other).holds(folder, constant))
            };
            maker.others().iter().find(same)
        };
        match read {
            Ok(values) if values == constant.values => import.equal.push(file.to_owned()),
            Ok(values) => {
                let cause = causes::order(basis, constant, &values)
                    .or_else(|| whole().map(Hypothesis::reason))
                    .or_else(|| causes::of_header(folder, basis, constant, &values))
                    .or_else(|| by_other().map(Hypothesis::reason));
                import.findings.push(Finding {
                    file: file.to_owned(),
                    what: describe(basis, folder, &paired, constant, &values),
                    cause,
                });
            }
            Err(error) => {
                let bytes = folder.tensors.get(file).map_or(&[][..], Vec::as_slice);
                import.findings.push(Finding {
                    file: file.to_owned(),
                    what: error.to_string(),
                    cause: causes::size(basis, constant, bytes),
                });
            }
        }
    }
    for file in folder.tensors.keys() {
        if !paired.files.values().any(|known| known == file) {
            import.findings.push(Finding {
                file: file.clone(),
                what: "is no tensor of this network".into(),
                cause: None,
            });
        }
    }
}

/// Scales, zero points, and their constants in 7 bits.
fn header(folder: &Folder, basis: &Hypothesis, maker: &Maker, import: &mut Import) {
    let Some((file, _)) = &folder.header else {
        return;
    };
    let found = import.findings.len();
    for (at, step) in basis.steps.steps.iter().enumerate() {
        let name = &step.name;
        let mut find = |what: String, cause: Option<String>| {
            import.findings.push(Finding {
                file: file.clone(),
                what,
                cause,
            });
        };
        let Some((_, node)) = node(folder, step) else {
            find(format!("{name} is missing"), None);
            continue;
        };
        let cause = || {
            let same = |other: &&Hypothesis| {
                let step = other.steps.steps.get(at);
                step.is_some_and(|step| same_scale(node, step) && same_zero_point(node, step))
            };
            let others = || maker.others().iter();
            let whole = others().find(|other| all_equal(folder, other));
            whole
                .or_else(|| others().find(same))
                .map(Hypothesis::reason)
        };
        if !same_scale(node, step) {
            let percent = 100.0 * (node.scale / step.scale - 1.0);
            let what = format!(
                "{name}_OUT_SCALE is {}, expected {}: {percent:+.3} %",
                node.scale, step.scale
            );
            find(what, cause());
        }
        if !same_zero_point(node, step) {
            let got = node.zero_point.unwrap_or(step.zero_point);
            let what = format!(
                "{name}_OUT_ZERO_POINT is {got}, expected {}",
                step.zero_point
            );
            find(what, cause());
        }
        let [right, faithful] =
            [Form::Right, Form::Faithful].map(|form| QScale::new(node.scale, form));
        let QScale { scale: q, norm } = node.constants;
        let shown = |of: QScale| format!("{}·2^-({})", of.scale, of.norm);
        let what = format!(
            "{name}_OUT_QSCALE·2^-OUT_QNORM is {}, and OUT_SCALE {} is {}",
            shown(QScale { scale: q, norm }),
            node.scale,
            shown(right)
        );
        if node.constants == faithful && faithful != right {
            let cause = "NNTool's rounding of a mantissa of 255/256 or more counts QNORM up where \
                         it must go down: 4 times too small";
            find(what, Some(cause.into()));
        } else if node.constants != right {
            find(what, None);
        }
    }
    if import.findings.len() == found {
        import.equal.push(file.clone());
    }
}

/// How many values differ and where; of multipliers what they are.
fn describe(
    basis: &Hypothesis,
    folder: &Folder,
    paired: &Paired,
    constant: &Constant,
    got: &Elements,
) -> String {
    let (expected, got) = (constant.values.numbers(), got.numbers());
    let differing: Vec<usize> = (0..expected.len())
        .filter(|&at| expected[at] != got[at])
        .collect();
    let first = differing.first().copied().unwrap_or(0);
    let largest = (expected.iter().zip(&got))
        .map(|(a, b)| a.abs_diff(*b))
        .max()
        .unwrap_or(0);
    let mut text = format!(
        "{} of {} values differ, by at most {largest}; the first at {first}: {}, expected {}",
        differing.len(),
        expected.len(),
        got[first],
        expected[first]
    );
    // S·2^−N on both sides.
    let scaling = (basis.steps.kernels()).find_map(|(_, kernel)| {
        let [scale, shift, _] = &kernel.scaling;
        [scale, shift].contains(&constant).then_some([scale, shift])
    });
    let read = |of: &Constant| Some(paired.read(folder, of)?.1.ok()?.numbers());
    if let Some([scale, shift]) = scaling
        && let (Some(their_scale), Some(their_shift)) = (read(scale), read(shift))
    {
        let ours = [scale.values.numbers()[first], shift.values.numbers()[first]];
        let theirs = [their_scale[first], their_shift[first]];
        let factor = |[scale, shift]: [i32; 2]| f64::from(scale) * 2f64.powi(-shift);
        let percent = 100.0 * (factor(theirs) / factor(ours) - 1.0);
        text.push_str(&format!(
            "; channel {first} is multiplied by {}·2^-{} instead of {}·2^-{}, {percent:+.3} %",
            theirs[0], theirs[1], ours[0], ours[1]
        ));
    }
    text
}
