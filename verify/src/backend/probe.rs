//! What a backend is asked.

use std::ops::Range;

use fixtures::{Fixtures, ImageSet, NetworkFixture};
use reference::ShapeError;

use crate::model::{Model, ModelError, ModelScheme, Step, Values};

/// A stretch of the model, and what is put in.
#[derive(Clone, Debug)]
pub struct Probe {
    /// `network`, `layer-<name>` or `directed-<name>`.
    pub name: String,
    /// The nodes to compute, one after the other.
    pub nodes: Range<usize>,
    /// The input of the first: pixels of the whole network, else golden codes.
    pub input: Values,
    /// The right output of each node.
    pub golden: Vec<Values>,
}

/// Everything that a backend is asked of one network.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The right model.
    pub model: Model,
    /// The whole network first, then each layer by itself, then each weighted layer on
    /// accumulators where arithmetics part.
    pub probes: Vec<Probe>,
}

/// A trial that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrialError {
    /// A fixture is damaged.
    #[error(transparent)]
    Fixture(#[from] fixtures::FixtureError),
    /// The network has no such model.
    #[error("{network}: {source}")]
    Model {
        /// The network.
        network: String,
        /// Why.
        source: ModelError,
    },
    /// Shapes that do not fit.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// There is nothing to ask.
    #[error("no images: give at least 1")]
    NoImages,
}

/// The probe of the whole network.
pub const NETWORK: &str = "network";

impl Trial {
    /// Of a committed network: `images` of the 1,000 test images through the whole network, and
    /// the first `isolated` of them for each layer by itself; without any the layers are left out.
    ///
    /// # Errors
    /// A damaged fixture, a contract that is none, or no image at all.
    pub fn new(
        fixtures: &Fixtures,
        network: &str,
        scheme: ModelScheme,
        contract: &str,
        images: usize,
        isolated: usize,
    ) -> Result<Self, TrialError> {
        let fixture = NetworkFixture::load(fixtures, network)?;
        let set = ImageSet::load(fixtures, &fixture.data)?;
        let model =
            Model::new(&fixture, &set, scheme, contract).map_err(|source| TrialError::Model {
                network: network.to_owned(),
                source,
            })?;
        if images == 0 {
            return Err(TrialError::NoImages);
        }
        Self::of(model, &set.pixels.head(images).map(f64::from), isolated)
    }

    /// Of a model, for pixels [N, C, H, W].
    ///
    /// # Errors
    /// Pixels that are not of the model's input shape.
    pub fn of(model: Model, pixels: &Values, isolated: usize) -> Result<Self, TrialError> {
        let golden = model.trace(pixels)?;
        let (mut probes, mut directed) = (Vec::new(), Vec::new());
        for (name, nodes) in layers(&model) {
            // The input's codes are what the first layer is given.
            if isolated == 0 || nodes.start == 0 {
                continue;
            }
            if let Some(input) = super::directed::input(&model, nodes.start)? {
                directed.push(probe(
                    &model,
                    format!("directed-{name}"),
                    nodes.clone(),
                    input,
                )?);
            }
            probes.push(Probe {
                name: format!("layer-{name}"),
                input: golden[nodes.start - 1].head(isolated),
                golden: (golden[nodes.clone()].iter())
                    .map(|values| values.head(isolated))
                    .collect(),
                nodes,
            });
        }
        let whole = Probe {
            name: NETWORK.into(),
            nodes: 0..model.nodes.len(),
            input: pixels.clone(),
            golden,
        };
        probes.insert(0, whole);
        probes.append(&mut directed);
        Ok(Self { model, probes })
    }

    /// sha256 of the names and inputs of all probes.
    pub fn hash(&self) -> String {
        let mut bytes = Vec::new();
        for probe in &self.probes {
            bytes.extend_from_slice(probe.name.as_bytes());
            bytes.extend(
                probe
                    .input
                    .data()
                    .iter()
                    .flat_map(|value| value.to_le_bytes()),
            );
            let codes = probe.codes(&self.model).data();
            bytes.extend(codes.iter().flat_map(|value| value.to_le_bytes()));
        }
        fixtures::sha256(&bytes)
    }

    /// The probe of this name.
    pub fn probe(&self, name: &str) -> Option<&Probe> {
        self.probes.iter().find(|probe| probe.name == name)
    }
}

impl Probe {
    /// How many images are put in.
    pub fn images(&self) -> usize {
        self.input.shape().first().copied().unwrap_or(0)
    }

    /// The right output of a node of the model.
    pub fn golden_of(&self, node: usize) -> &Values {
        &self.golden[node - self.nodes.start]
    }

    /// The codes that the first layer is given: of the whole network those of its input.
    pub fn codes(&self, model: &Model) -> &Values {
        match &model.nodes[self.nodes.start].step {
            Step::Quantize(_) => &self.golden[0],
            _ => &self.input,
        }
    }
}

/// A probe with the right outputs of its nodes.
fn probe(
    model: &Model,
    name: String,
    nodes: Range<usize>,
    input: Values,
) -> Result<Probe, ShapeError> {
    let mut golden: Vec<Values> = Vec::with_capacity(nodes.len());
    for step in model.steps(nodes.clone()) {
        golden.push(step.run(golden.last().unwrap_or(&input))?);
    }
    Ok(Probe {
        name,
        nodes,
        input,
        golden,
    })
}

/// The layers by name, and the nodes of each.
fn layers(model: &Model) -> Vec<(String, Range<usize>)> {
    let mut layers: Vec<(String, Range<usize>)> = Vec::new();
    for (at, node) in model.nodes.iter().enumerate() {
        match layers.last_mut() {
            Some((name, nodes)) if name == node.layer() => nodes.end = at + 1,
            _ => layers.push((node.layer().to_owned(), at..at + 1)),
        }
    }
    layers
}
