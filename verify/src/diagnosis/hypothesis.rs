//! What may have been done instead: one mistake, one contract, or two of them.

use std::fmt;
use std::ops::Range;

use quant::contracts;
use serde::{Deserialize, Serialize};

use super::{Segment, differing};
use crate::mistakes::{self, Site, Variant};
use crate::model::{Arithmetic, Model, Step};

/// One thing that is done otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// The node.
    pub node: String,
    /// The mistake's id, or the contract's name after `contract:`.
    pub id: String,
    /// Which form of it; empty where there is only one.
    pub parameters: String,
}

impl Cause {
    /// Whether it is a contract: right in itself, another than the model's.
    pub fn is_contract(&self) -> bool {
        self.id.starts_with(CONTRACT)
    }

    /// The contract's name, if it is one.
    pub fn contract(&self) -> Option<&str> {
        self.id.strip_prefix(CONTRACT)
    }
}

/// Before a contract's name.
const CONTRACT: &str = "contract:";

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parameters.is_empty() {
            true => f.write_str(&self.id),
            false => write!(f, "{} ({})", self.id, self.parameters),
        }
    }
}

/// Causes, and the steps that they make of a segment's.
#[derive(Clone, Debug)]
pub struct Hypothesis {
    /// One, or two in the order of the nodes.
    pub causes: Vec<Cause>,
    /// The steps that differ from the model's, by node.
    pub steps: Vec<(usize, Step)>,
}

impl Hypothesis {
    /// Whether it makes every value that a backend shows of the nodes that it changes.
    pub(super) fn makes(&self, shown: &[Segment]) -> bool {
        (shown.iter())
            .filter(|segment| self.touches(&segment.nodes))
            .all(|segment| {
                let output = segment.replay(self);
                output.is_ok_and(|output| differing(&output, segment.observed) == 0)
            })
    }

    /// Whether it changes one of these nodes.
    fn touches(&self, nodes: &Range<usize>) -> bool {
        self.steps.iter().any(|(node, _)| nodes.contains(node))
    }

    /// Whether both are seen to be the same wrong layer under two names: no input tells them
    /// apart.
    pub fn is(&self, other: &Self) -> bool {
        self.steps.len() == other.steps.len()
            && (self.steps.iter().zip(&other.steps))
                .all(|((node, step), (at, other))| node == at && step.is(other))
    }

    /// The step of a node under this hypothesis.
    pub fn step<'a>(&'a self, model: &'a Model, node: usize) -> &'a Step {
        (self.steps.iter())
            .find(|(at, _)| *at == node)
            .map_or(&model.nodes[node].step, |(_, step)| step)
    }
}

impl fmt::Display for Hypothesis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, cause) in self.causes.iter().enumerate() {
            write!(f, "{}{cause}", if at > 0 { " and " } else { "" })?;
        }
        Ok(())
    }
}

/// A wrong step at a node.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) node: usize,
    pub(crate) cause: Cause,
    pub(crate) step: Step,
}

/// Every single change of the model in these nodes.
pub(super) fn changes(model: &Model, nodes: Range<usize>) -> Vec<Change> {
    nodes
        .flat_map(|node| changes_at(&Site::new(model, node)))
        .collect()
}

/// Every change of this step, which may be wrong already.
pub(crate) fn changes_at(site: &Site) -> Vec<Change> {
    let of = |id: String, variant: Variant| Change {
        node: site.node,
        cause: Cause {
            node: site.model.nodes[site.node].name.clone(),
            id,
            parameters: variant.parameters,
        },
        step: variant.step,
    };
    let mut changes: Vec<Change> = (mistakes::ALL.iter())
        .flat_map(|mistake| {
            let variants = (mistake.variants)(site);
            variants
                .into_iter()
                .map(|variant| of(mistake.id.into(), variant))
        })
        .collect();
    let Some(requantize) = site.requantize() else {
        return changes;
    };
    for contract in contracts::one_of_each_class() {
        if contract.name == site.model.contract {
            continue;
        }
        let mut requantize = requantize.clone();
        requantize.arithmetic = Arithmetic::Contract(contract);
        if requantize.check().is_ok() {
            let step = Step::Requantize(requantize);
            changes.push(of(
                format!("{CONTRACT}{}", contract.name),
                Variant::named("", step),
            ));
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use fixtures::{Fixtures, ImageSet, NetworkFixture};

    use super::*;
    use crate::model::{GOLDEN, ModelScheme};

    /// Of the contracts that Karat's own arithmetic is held against, every other class once.
    #[test]
    fn a_models_own_contract_is_no_change_of_it() {
        let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
        let fixture = NetworkFixture::load(&fixtures, "mlp-mnist").unwrap();
        let images = ImageSet::load(&fixtures, &fixture.data).unwrap();
        let model = Model::new(&fixture, &images, ModelScheme::MaxAbs, GOLDEN).unwrap();
        let names = |model: &Model| -> Vec<String> {
            let at = model.position("fc2").unwrap();
            let changes = changes_at(&Site::new(model, at)).into_iter();
            let causes = changes.map(|change| change.cause);
            let contracts = causes.filter(Cause::is_contract);
            contracts
                .filter_map(|cause| Some(cause.contract()?.to_owned()))
                .collect()
        };
        let all = names(&model);
        assert!(all.len() > 20, "{all:?}");
        let own = all[3].clone();
        let others = names(&model.with_contract(&own).unwrap());
        assert_eq!(others.len(), all.len() - 1);
        assert!(!others.contains(&own));
    }
}
