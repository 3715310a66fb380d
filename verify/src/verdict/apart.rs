//! Several explanations, and the inputs that would tell which it is.

use serde::{Deserialize, Serialize};

use crate::diagnosis::{Hypothesis, Separation};
use crate::model::Values;

/// Explanations of one difference, in groups that are the same on everything tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Apart {
    /// How many inputs were tried; 0 where no input can part them.
    pub tried: usize,
    /// The explanations of each group.
    pub groups: Vec<Vec<String>>,
    /// Every two groups part on one of these.
    pub inputs: Vec<PartingInput>,
}

/// An input of the stretch, and what each group makes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartingInput {
    /// One image.
    pub input: Array,
    /// Of each group; none where it cannot be computed.
    pub outputs: Vec<Option<Array>>,
}

/// A tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Array {
    /// Its shape.
    pub shape: Vec<usize>,
    /// Row-major.
    pub values: Vec<f64>,
}

impl From<&Values> for Array {
    fn from(values: &Values) -> Self {
        Self {
            shape: values.shape().to_vec(),
            values: values.data().to_vec(),
        }
    }
}

impl Apart {
    /// Of explanations and what parts them.
    pub(super) fn new(explanations: &[Hypothesis], separation: &Separation) -> Self {
        let name = |at: &usize| explanations[*at].to_string();
        Self {
            tried: separation.tried,
            groups: (separation.groups.iter())
                .map(|group| group.iter().map(name).collect())
                .collect(),
            inputs: (separation.partings.iter())
                .map(|parting| PartingInput {
                    input: Array::from(&parting.input),
                    outputs: (parting.outputs.iter())
                        .map(|output| output.as_ref().map(Array::from))
                        .collect(),
                })
                .collect(),
        }
    }

    /// What can be said to a person.
    pub fn lines(&self) -> Vec<String> {
        let groups: Vec<String> = (self.groups.iter())
            .map(|group| group.join(" = "))
            .collect();
        match groups.as_slice() {
            [one] if self.tried == 0 => {
                vec![format!(
                    "One layer, whatever the input, under several names: {one}."
                )]
            }
            [one] => vec![format!("The same on {} inputs tried: {one}.", self.tried)],
            _ => vec![
                format!(
                    "On this data they cannot be told apart: {}.",
                    groups.join("; ")
                ),
                format!(
                    "{} of {} inputs tried would tell which it is: --apart DIR writes them.",
                    self.inputs.len(),
                    self.tried
                ),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_told_is_said() {
        let said = |tried: usize, groups: &[&[&str]], inputs: usize| {
            let input = Array {
                shape: vec![1],
                values: vec![0.0],
            };
            let outputs = Vec::new();
            let names = |group: &&[&str]| group.iter().map(ToString::to_string).collect();
            let apart = Apart {
                tried,
                groups: groups.iter().map(names).collect(),
                inputs: vec![PartingInput { input, outputs }; inputs],
            };
            apart.lines().join("\n")
        };
        assert_eq!(
            said(0, &[&["a", "b"]], 0),
            "One layer, whatever the input, under several names: a = b."
        );
        assert_eq!(
            said(70, &[&["a", "b"]], 0),
            "The same on 70 inputs tried: a = b."
        );
        assert_eq!(
            said(70, &[&["a", "b"], &["c"]], 1),
            "On this data they cannot be told apart: a = b; c.\n\
             1 of 70 inputs tried would tell which it is: --apart DIR writes them."
        );
    }
}
