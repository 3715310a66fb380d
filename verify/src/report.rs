//! What a run found, for people and for machines.

mod human;
mod json;
mod junit;

pub(crate) use human::shape;

use std::collections::BTreeMap;

use fixtures::{ImageSet, Manifest, NetworkFixture};
use kernels::Kernels;
use serde::Serialize;

use crate::claims::{Coverage, Predictions};
use crate::run::{float_bytes, int8_bytes};
use crate::{Row, Subject};

pub use human::scale_table;

/// Everything that a run found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The version of the JSON.
    pub format: u32,
    /// Who made the fixtures.
    pub producer: BTreeMap<String, serde_json::Value>,
    /// The kernel sets that ran.
    pub kernels: Vec<String>,
    /// Every comparison.
    pub rows: Vec<Row>,
    /// A summary of each network.
    pub networks: Vec<NetworkSummary>,
    /// What the operator cases held, if they ran.
    pub coverage: Option<Coverage>,
}

/// How well a network classifies, and how large it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NetworkSummary {
    /// The network.
    pub network: String,
    /// Its images.
    pub data: String,
    /// How many images Karat ran.
    pub images: usize,
    /// How many of them the float network classifies rightly.
    pub float_correct: usize,
    /// How many of them the int8 network classifies rightly.
    pub int8_correct: usize,
    /// How many float predictions are PyTorch's.
    pub float_agree: usize,
    /// How many int8 predictions are PyTorch's.
    pub int8_agree: usize,
    /// PyTorch's predictions for all test images.
    pub pytorch: AllImages,
    /// Bytes of the float parameters.
    pub float_bytes: usize,
    /// Bytes of the int8 parameters: codes, int32 biases, scales.
    pub int8_bytes: usize,
    /// The least accumulator width of each weighted layer, proved from its weights.
    pub accumulator_bits: Vec<u32>,
}

/// PyTorch's predictions for all test images against the labels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AllImages {
    /// How many there are.
    pub images: usize,
    /// Right in float.
    pub float_correct: usize,
    /// Right in int8.
    pub int8_correct: usize,
    /// What to know about these images.
    pub note: String,
}

impl NetworkSummary {
    pub(crate) fn new(
        fixture: &NetworkFixture,
        images: &ImageSet,
        subject: &Subject,
        predictions: &Predictions,
    ) -> Self {
        let (labels, float, int8) = (
            &images.labels,
            &fixture.float.predictions,
            &fixture.int8.predictions,
        );
        Self {
            network: fixture.network.name().to_owned(),
            data: fixture.data.clone(),
            images: predictions.int8.len(),
            float_correct: agreeing(labels, &predictions.float),
            int8_correct: agreeing(labels, &predictions.int8),
            float_agree: agreeing(float, &predictions.float),
            int8_agree: agreeing(int8, &predictions.int8),
            pytorch: AllImages {
                images: labels.len(),
                float_correct: agreeing(labels, float),
                int8_correct: agreeing(labels, int8),
                note: images.source.note.clone(),
            },
            float_bytes: float_bytes(&subject.float),
            int8_bytes: int8_bytes(&subject.integer),
            accumulator_bits: (subject.integer.accumulators().iter())
                .map(|range| range.bits)
                .collect(),
        }
    }
}

/// In how many places two lists agree.
fn agreeing(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).filter(|(a, b)| a == b).count()
}

/// How to write a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Tables for a terminal; every comparison on a line of its own if `verbose`.
    Human {
        /// One line a comparison instead of one a layer.
        verbose: bool,
    },
    /// One JSON object.
    Json,
    /// JUnit XML, one suite a network.
    Junit,
}

impl Report {
    pub(crate) fn new(manifest: &Manifest, kernel_sets: &[Kernels]) -> Self {
        Self {
            format: 1,
            producer: manifest.producer.clone(),
            kernels: kernel_sets
                .iter()
                .map(|set| set.isa().to_string())
                .collect(),
            rows: Vec::new(),
            networks: Vec::new(),
            coverage: None,
        }
    }

    /// The comparisons that failed, in order; the first names the place to look.
    pub fn failures(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.outcome.holds())
    }

    /// Whether something was compared and nothing failed.
    pub fn passed(&self) -> bool {
        !self.rows.is_empty() && self.failures().next().is_none()
    }

    /// The report as text.
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Human { verbose } => human::render(self, verbose),
            Format::Json => json::render(self),
            Format::Junit => junit::render(self),
        }
    }
}
