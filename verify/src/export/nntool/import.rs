//! A folder that NNTool wrote, held against what Karat makes of the same ranges: what differs,
//! and why, where a cause can be shown.
//!
//! A cause is a hypothesis that has been carried out: the parameters are made again as it says,
//! and it is named only if they are then those of the files, all of them or all of a file.
//! Whatever no hypothesis reproduces is unexplained.

mod causes;
mod compare;
mod folder;
mod hypothesis;

pub use folder::{Folder, FolderError};
pub use hypothesis::Hypothesis;

use std::fmt;

use hypothesis::Maker;

use fixtures::ImageSet;
use reference::{Network, Weights};

use super::{NntoolOptions, normalization};
use crate::export::ExportError;

/// What a folder is held against.
#[derive(Clone, Copy, Debug)]
pub struct Against<'a> {
    /// The float network.
    pub float: &'a Network<Weights<f32>>,
    /// Karat's calibration images: for a folder without a state, and for hypotheses.
    pub images: &'a ImageSet,
    /// Whose files, and in which form.
    pub options: NntoolOptions,
}

/// What there is to say of a folder.
#[derive(Clone, Debug, Default)]
pub struct Import {
    /// How the parameters were made that the files are held against.
    pub basis: String,
    /// The files that are equal, and what was compared of each.
    pub equal: Vec<String>,
    /// Whatever differs.
    pub findings: Vec<Finding>,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub file: String,
    /// What differs.
    pub what: String,
    /// Why, where it has been reproduced.
    pub cause: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = self.cause.as_deref().unwrap_or("unexplained");
        write!(f, "{}: {}\n    cause: {cause}", self.file, self.what)
    }
}

/// Holds a folder against a network.
///
/// # Errors
/// A state without the range of a node that needs one, or a network that is none of NNTool's.
pub fn import(folder: &Folder, against: &Against) -> Result<Import, ExportError> {
    let maker = Maker::new(folder, against)?;
    let basis = maker.basis()?;
    let mut import = Import {
        basis: basis.name.clone(),
        ..Import::default()
    };
    import.findings.extend(recipe(folder, against));
    compare::compare(folder, &basis, &maker, &mut import);
    Ok(import)
}

/// Whether the commands normalize pixels as the network was trained.
fn recipe(folder: &Folder, against: &Against) -> Option<Finding> {
    let (file, state) = folder.state.as_ref()?;
    let [divisor, offset] = normalization(against.float.input());
    let command = state
        .history
        .iter()
        .rfind(|c| c.trim_start().starts_with("aquant"))?;
    let value = |short: &str, long: &str, default: f64| {
        let mut words = command.split_whitespace();
        let given = words.find_map(|word| match word.split_once('=') {
            Some((name, value)) if name == long => Some(value),
            _ if word == short || word == long => Some(""),
            _ => word.strip_prefix(short).filter(|_| !word.starts_with("--")),
        });
        match given {
            Some("") => words.next().and_then(|word| word.parse().ok()),
            Some(value) => value.parse().ok(),
            None => Some(default),
        }
    };
    let [d, o] = [
        value("-D", "--divisor", 1.0)?,
        value("-O", "--offset", 0.0)?,
    ];
    // As many digits as the network computes with.
    let single = |[d, o]: [f64; 2]| [d as f32, o as f32];
    if single([d, o]) == single([divisor, offset]) {
        return None;
    }
    let reached = |d: f64, o: f64| format!("[{}, {}]", o, 255.0 / d + o);
    Some(Finding {
        file: file.clone(),
        what: format!(
            "aquant makes pixel/{d} + {o} of a pixel, which is in {}; the network was trained on {}",
            reached(d, o),
            reached(divisor, offset)
        ),
        cause: Some(format!(
            "the options of aquant; right are -D {divisor} -O {offset}"
        )),
    })
}
