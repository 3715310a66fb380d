//! Runs every claim of the chosen networks and cases.

use std::path::PathBuf;

use fixtures::{FixtureError, Fixtures, ImageSet, NetworkFixture, OperatorCase, Problem, official};
use kernels::Kernels;
use quant::{QuantError, QuantNetwork};
use rayon::prelude::*;
use reference::{Network, Tensor, Weights};

use crate::claims::{self, Coverage};
use crate::model_file::ModelFileError;
use crate::report::{NetworkSummary, Report};
use crate::{Row, Subject};

/// What to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of fixtures.
    pub fixtures: PathBuf,
    /// Which networks.
    pub selection: Selection,
    /// A folder with the official files, to predict all test images.
    pub data: Option<PathBuf>,
    /// How many images int8 is held against float on.
    pub images: usize,
}

/// How many images are traced through every layer.
pub const TRACED_IMAGES: usize = 16;

/// Which networks and cases to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Every network and every operator case.
    Everything,
    /// One network by name, without the operator cases.
    Network(String),
}

/// Input that cannot be verified at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// A fixture is damaged or missing.
    #[error(transparent)]
    Fixture(#[from] FixtureError),
    /// No such network.
    #[error("there is no network {name:?}; there are: {}", fixtures::NETWORKS.join(", "))]
    UnknownNetwork {
        /// What was asked for.
        name: String,
    },
    /// A network that cannot be measured, or saved and loaded back.
    #[error("{network}: {source}")]
    ModelFile {
        /// The network.
        network: String,
        /// What is wrong with it.
        source: Box<ModelFileError>,
    },
    /// A network or case that cannot be run.
    #[error("{subject}: {source}")]
    Unusable {
        /// The network or the case.
        subject: String,
        /// What is wrong with it.
        source: QuantError,
    },
}

/// Checks everything that `options` selects; `progress` hears of each step.
///
/// # Errors
/// A fixture that cannot be used. A mismatch is no error: it is in the report.
pub fn verify(
    options: &Options,
    kernel_sets: &[Kernels],
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Report, VerifyError> {
    let fixtures = Fixtures::open(&options.fixtures)?;
    let mut report = Report::new(fixtures.manifest(), kernel_sets);
    let checked: Vec<_> = names(&options.selection)?
        .into_par_iter()
        .map(|name| {
            progress(&format!("network {name}"));
            let fixture = NetworkFixture::load(&fixtures, name)?;
            let images = ImageSet::load(&fixtures, &fixture.data)?;
            for predictions in [&fixture.float.predictions, &fixture.int8.predictions] {
                if predictions.len() != images.labels.len() {
                    let (expected, got) = (images.labels.len(), predictions.len());
                    let problem = Problem::disagrees("predictions, one a label", expected, got);
                    return Err(problem
                        .at(fixtures.root().join("networks").join(name))
                        .into());
                }
            }
            let everything = (options.data.as_ref())
                .map(|root| official::test_images(root, &fixture.data, &images.source))
                .transpose()?;
            Subject::new(&fixture, &images)
                .and_then(|subject| {
                    check_network(
                        &fixture,
                        &images,
                        &subject,
                        kernel_sets,
                        everything.as_ref(),
                        options.images,
                    )
                })
                .map_err(|source| VerifyError::Unusable {
                    subject: name.to_owned(),
                    source,
                })
        })
        .collect::<Result<_, VerifyError>>()?;
    for (rows, summary) in checked {
        report.rows.extend(rows);
        report.networks.push(summary);
    }
    if options.selection == Selection::Everything {
        progress("operators");
        let (rows, coverage) = check_operators(&fixtures, kernel_sets)?;
        report.rows.extend(rows);
        report.coverage = Some(coverage);
    }
    Ok(report)
}

/// The networks selected.
fn names(selection: &Selection) -> Result<Vec<&'static str>, VerifyError> {
    match selection {
        Selection::Everything => Ok(fixtures::NETWORKS.to_vec()),
        Selection::Network(name) => match fixtures::NETWORKS.iter().find(|known| *known == name) {
            Some(known) => Ok(vec![known]),
            None => Err(VerifyError::UnknownNetwork { name: name.clone() }),
        },
    }
}

/// Every claim about one network, in the order of its layers.
///
/// # Errors
/// A subject whose shapes do not fit the images.
pub fn check_network(
    fixture: &NetworkFixture,
    images: &ImageSet,
    subject: &Subject,
    kernel_sets: &[Kernels],
    everything: Option<&Tensor<u8>>,
    int8_images: usize,
) -> Result<(Vec<Row>, NetworkSummary), QuantError> {
    let mut rows = claims::check_parameters(fixture, images, subject);
    rows.extend(claims::check_float(fixture, images, subject)?);
    rows.extend(claims::check_integer(
        fixture,
        images,
        subject,
        kernel_sets,
    )?);
    rows.extend(claims::check_int8_error(
        fixture,
        images,
        subject,
        int8_images,
    )?);
    let fastest = kernel_sets
        .last()
        .copied()
        .unwrap_or_else(kernels::dispatch::portable);
    let pixels = everything.unwrap_or(&images.pixels);
    let predictions = claims::check_predictions(fixture, pixels, subject, fastest)?;
    rows.extend(predictions.rows.iter().cloned());
    in_layer_order(&mut rows, &fixture.network);
    let summary = NetworkSummary::new(fixture, images, subject, &predictions);
    Ok((rows, summary))
}

/// Sorts the rows by layer, the input first and what belongs to no layer last; within a
/// layer the order in which they were made stays.
fn in_layer_order(rows: &mut [Row], network: &Network<Weights<f32>>) {
    let place = |row: &Row| match row.layer.as_str() {
        "input" => 0,
        name => (network.layers().iter().position(|layer| layer.name == name))
            .map_or(usize::MAX, |i| i + 1),
    };
    rows.sort_by_key(place);
}

/// Every operator case, and what all of them cover.
///
/// # Errors
/// A case that is damaged or whose shapes do not fit.
pub fn check_operators(
    fixtures: &Fixtures,
    kernel_sets: &[Kernels],
) -> Result<(Vec<Row>, Coverage), VerifyError> {
    let (mut rows, mut coverage) = (Vec::new(), Coverage::default());
    for name in OperatorCase::names(fixtures) {
        let case = OperatorCase::load(fixtures, &name)?;
        let (more, covered) =
            claims::check_operator(&case, kernel_sets).map_err(|source| VerifyError::Unusable {
                subject: format!("operators/{name}"),
                source,
            })?;
        rows.extend(more);
        coverage = coverage.plus(covered);
    }
    rows.extend(coverage.rows());
    Ok((rows, coverage))
}

/// Bytes of a float network's parameters.
pub(crate) fn float_bytes(network: &Network<Weights<f32>>) -> usize {
    (network.weighted())
        .map(|(_, w)| 4 * (w.weight.data().len() + w.bias.as_ref().map_or(0, Vec::len)))
        .sum()
}

/// Bytes of an integer network's parameters: int8 codes, int32 biases, float32 scales.
pub(crate) fn int8_bytes(network: &QuantNetwork) -> usize {
    let layers = (network.network().weighted())
        .map(|(_, w)| w.weight.data().len() + 4 * w.bias.as_ref().map_or(0, Vec::len) + 8);
    layers.sum::<usize>() + 4
}
