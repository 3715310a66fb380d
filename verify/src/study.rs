//! Everything that a quantization lab asks about a network, measured.
//!
//! One run gives numbers only ([`Study`]); [`render`] turns them into a page.

mod accuracy;
mod calibration;
mod errors;
mod executor;
pub mod render;
mod scales;
mod simulation;
mod statistics;
mod storage;
mod sweeps;
mod training;

use std::sync::Mutex;

use fixtures::scheme::{SchemeFixture, SchemeFixtures};
use fixtures::{Fixtures, ImageSet, NetworkFixture, QAT_NETWORK, QatFixture, official};
use quant::QuantError;
use quant::affine::{AffineNetwork, Calibration};
use reference::{Network, Tensor, Weights};
use serde::Serialize;

pub use accuracy::Accuracy;
pub use calibration::CalibrationRow;
pub use errors::ErrorRow;
pub use executor::Executor;
pub use scales::{ScaleRow, ZeroPointRow};
pub use simulation::{DifferenceRow, SimulationRow};
pub use statistics::{AFTER_RELU, Outside, TensorStatistics};
pub use storage::StorageRow;
pub use sweeps::{BitsRow, Executed, RangeRow};
pub use training::TrainingRow;

use crate::VerifyError;
use crate::model_file::ModelFileError;

/// What to study.
#[derive(Clone, Debug)]
pub struct StudyOptions {
    /// The folder of fixtures.
    pub fixtures: std::path::PathBuf,
    /// The networks, by name.
    pub networks: Vec<String>,
    /// A folder with the official files: all 10,000 test images instead of 1,000.
    pub data: Option<std::path::PathBuf>,
    /// At most so many test images; all, if none is said.
    pub images: Option<usize>,
    /// What runs the integer networks.
    pub executor: Executor,
    /// n·σ ranges no wider than the data.
    pub cap_sigma: bool,
}

/// All that was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Study {
    /// PyTorch's version, of the committed weights.
    pub torch: String,
    /// The networks.
    pub networks: Vec<NetworkStudy>,
}

/// What was measured of one network.
#[derive(Clone, Debug, Serialize)]
pub struct NetworkStudy {
    /// Its name.
    pub name: String,
    /// Its images.
    pub data: String,
    /// What to know about this copy of them.
    pub note: String,
    /// How many test images accuracies are over.
    pub images: usize,
    /// How many images ranges were calibrated on.
    pub calibration_images: usize,
    /// Of the float network.
    pub float: Accuracy,
    /// Weights, layer by layer, and all of them.
    pub weights: Vec<TensorStatistics>,
    /// The input, and each weighted layer's output before and after its ReLU.
    pub activations: Vec<TensorStatistics>,
    /// Scales of the int8 network in three conventions.
    pub scales: Vec<ScaleRow>,
    /// Parameters of the asymmetric int8 network.
    pub zero_points: Vec<ZeroPointRow>,
    /// Whether n·σ ranges are no wider than the data.
    pub cap_sigma: bool,
    /// Accuracy against how ranges are made.
    pub ranges: Vec<RangeRow>,
    /// Signal to noise of each layer's weights and activations.
    pub errors: Vec<ErrorRow>,
    /// Accuracy against bits.
    pub bits: Vec<BitsRow>,
    /// The least bits from which on every width is within a point of float; none if 16 bits
    /// are not.
    pub least_bits: LeastBits,
    /// The simulated network beside PyTorch's.
    pub simulation: Vec<SimulationRow>,
    /// Quantization-aware training; empty where there is none.
    pub training: Vec<TrainingRow>,
    /// Accuracy and bytes by storage type.
    pub storage: Vec<StorageRow>,
    /// Accuracy against the calibration images.
    pub calibration: Vec<CalibrationRow>,
}

/// The least bits from which on every width is within one point of float accuracy, integer
/// executor.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LeastBits {
    /// Symmetric codes.
    pub symmetric: Option<u32>,
    /// Asymmetric codes.
    pub asymmetric: Option<u32>,
}

/// What the parts of a study are made from.
struct Bench {
    float: Network<Weights<f32>>,
    /// Normalized test images with their labels.
    images: Tensor<f32>,
    labels: Vec<u8>,
    /// Normalized calibration images with their labels.
    calibration_images: Tensor<f32>,
    calibration_labels: Vec<u8>,
    calibration: Calibration,
    /// The first training images, if there is the data.
    training_images: Option<Tensor<f32>>,
    executor: Executor,
    /// The integer networks that ran, and what they classify.
    runs: Mutex<Vec<(AffineNetwork, Accuracy)>>,
    cap_sigma: bool,
}

/// What PyTorch computed of a network, beyond its int8 form.
struct Goldens {
    schemes: Vec<SchemeFixture>,
    trained: Vec<QatFixture>,
}

/// Training images that are calibrated on beside the committed ones.
const TRAINING_IMAGES: usize = 1_000;

impl Study {
    /// Where a simulated code is not PyTorch's without lying at a rounding boundary.
    pub fn unexplained(&self) -> Option<String> {
        (self.networks.iter()).find_map(|network| unexplained(&network.name, &network.simulation))
    }
}

fn unexplained(network: &str, rows: &[SimulationRow]) -> Option<String> {
    rows.iter().find_map(|row| {
        let found = row
            .differences
            .iter()
            .find(|difference| !difference.explained)?;
        Some(format!(
            "{network}, {}, layer {}, {:?}: expected {}, got {}",
            row.scheme, found.layer, found.position, found.expected, found.code
        ))
    })
}

/// Measures every network; `progress` hears of each step, and how many there are.
///
/// # Errors
/// Fixtures that cannot be used, or a network that cannot be quantized.
pub fn study(
    options: &StudyOptions,
    progress: &(dyn Fn(&str, u64) + Sync),
) -> Result<Study, VerifyError> {
    let fixtures = Fixtures::open(&options.fixtures)?;
    let mut networks = Vec::new();
    for name in &options.networks {
        if !fixtures::NETWORKS.contains(&name.as_str()) {
            return Err(VerifyError::UnknownNetwork { name: name.clone() });
        }
        let fixture = NetworkFixture::load(&fixtures, name)?;
        let images = ImageSet::load(&fixtures, &fixture.data)?;
        let bench = Bench::new(&fixture, &images, options)?;
        let goldens = Goldens {
            schemes: SchemeFixtures::load(&fixtures, name)?.schemes,
            trained: match name == QAT_NETWORK {
                true => QatFixture::load(&fixtures, &fixture.network)?,
                false => Vec::new(),
            },
        };
        let measured = bench.measure(&fixture, &images, &goldens, progress);
        networks.push(measured.map_err(|source| VerifyError::ModelFile {
            network: name.clone(),
            source: Box::new(source),
        })?);
    }
    let torch = fixtures.manifest().producer.get("torch");
    Ok(Study {
        torch: torch.and_then(|v| v.as_str()).unwrap_or("?").to_owned(),
        networks,
    })
}

/// How many steps of progress a network takes.
pub const STEPS: u64 = *sweeps::BITS.end() as u64 + sweeps::RANGES + 7;

impl Bench {
    fn new(
        fixture: &NetworkFixture,
        images: &ImageSet,
        options: &StudyOptions,
    ) -> Result<Self, VerifyError> {
        let input = fixture.network.input();
        let pixels = match &options.data {
            Some(root) => official::test_images(root, &fixture.data, &images.source)?,
            None => images.pixels.clone(),
        };
        let pixels = pixels.head(options.images.unwrap_or(usize::MAX));
        let training_images = (options.data.as_ref())
            .map(|root| official::training_images(root, &fixture.data, &images.source))
            .transpose()?;
        let calibration_images = input.normalize(&images.calibration);
        let unusable = |source: QuantError| VerifyError::Unusable {
            subject: fixture.network.name().to_owned(),
            source,
        };
        Ok(Self {
            calibration: Calibration::run(&fixture.network, &calibration_images)
                .map_err(unusable)?,
            calibration_images,
            calibration_labels: images.calibration_labels.clone(),
            labels: images.labels[..pixels.shape()[0]].to_vec(),
            images: input.normalize(&pixels),
            training_images: (training_images)
                .map(|images| input.normalize(&images.head(TRAINING_IMAGES))),
            float: fixture.network.clone(),
            executor: options.executor,
            runs: Mutex::default(),
            cap_sigma: options.cap_sigma,
        })
    }

    fn measure(
        &self,
        fixture: &NetworkFixture,
        images: &ImageSet,
        goldens: &Goldens,
        progress: &(dyn Fn(&str, u64) + Sync),
    ) -> Result<NetworkStudy, ModelFileError> {
        let name = fixture.network.name();
        let step = |what: &str| progress(&format!("{name}: {what}"), 1);
        let float = self.float_accuracy()?;
        step("float");
        let (weights, activations) = (self.weight_statistics(), self.activation_statistics());
        step("statistics");
        let (ranges, errors) = (self.ranges(&step)?, self.errors()?);
        step("errors");
        let bits = self.bits(&step)?;
        let least = |of: fn(&BitsRow) -> &Accuracy| least_bits(&bits, &float, of);
        let least_bits = LeastBits {
            symmetric: least(|row| &row.symmetric.integer),
            asymmetric: least(|row| &row.asymmetric.integer),
        };
        // The committed images, of which PyTorch's codes are.
        let committed = fixture.network.input().normalize(&images.pixels);
        let simulation = self.simulation(&committed, &goldens.schemes)?;
        step("simulation");
        let training = self.training(&goldens.trained)?;
        step("training");
        let storage = self.storage()?;
        step("storage");
        let calibration = self.calibration()?;
        step("calibration");
        Ok(NetworkStudy {
            name: name.to_owned(),
            data: fixture.data.clone(),
            note: images.source.note.clone(),
            images: self.labels.len(),
            calibration_images: self.calibration_labels.len(),
            float,
            weights,
            activations,
            scales: scales::scales(fixture),
            zero_points: self.zero_points()?,
            cap_sigma: self.cap_sigma,
            ranges,
            errors,
            bits,
            least_bits,
            simulation,
            training,
            storage,
            calibration,
        })
    }
}

/// The least bits from which on no width is more than a hundredth of the images below float.
fn least_bits(
    rows: &[BitsRow],
    float: &Accuracy,
    of: impl Fn(&BitsRow) -> &Accuracy,
) -> Option<u32> {
    let near = |row: &&BitsRow| 100 * float.right <= 100 * of(row).right + float.of;
    (rows.iter().rev())
        .take_while(near)
        .last()
        .map(|row| row.bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_code_without_a_reason_is_named() {
        let row = |explained| DifferenceRow {
            layer: "fc".into(),
            position: vec![1, 3],
            code: 5,
            expected: 6,
            to_boundary: 0.25,
            allowed: 0.0,
            explained,
        };
        let simulation = |differences| SimulationRow {
            scheme: "asymmetric_8".into(),
            compared: 10,
            differences,
        };
        let unexplained = |rows: Vec<SimulationRow>| unexplained("lab", &rows);
        assert_eq!(unexplained(vec![simulation(vec![row(true)])]), None);
        assert_eq!(
            unexplained(vec![
                simulation(vec![]),
                simulation(vec![row(true), row(false)])
            ])
            .unwrap(),
            "lab, asymmetric_8, layer fc, [1, 3]: expected 6, got 5"
        );
    }

    #[test]
    fn every_wider_code_is_within_a_point_too() {
        let accuracy = |right| Accuracy { right, of: 1000 };
        let rows = |right: [usize; 5]| -> Vec<BitsRow> {
            (1..)
                .zip(right.map(accuracy))
                .map(|(bits, integer)| {
                    let run = Executed {
                        weights_only: integer,
                        integer,
                        simulated: integer,
                    };
                    BitsRow {
                        bits,
                        symmetric: run,
                        asymmetric: run,
                    }
                })
                .collect()
        };
        let least =
            |right, float| least_bits(&rows(right), &accuracy(float), |row| &row.symmetric.integer);
        assert_eq!(least([100, 500, 891, 900, 905], 901), Some(3));
        assert_eq!(least([100, 500, 890, 900, 905], 901), Some(4));
        assert_eq!(least([100, 895, 890, 900, 905], 901), Some(4), "a dip");
        assert_eq!(least([950; 5], 901), Some(1));
        assert_eq!(least([901, 901, 901, 901, 890], 901), None);
    }
}
