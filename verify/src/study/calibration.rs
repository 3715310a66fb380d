//! What a calibration set must be like.

use quant::QuantError;
use quant::affine::{AffineNetwork, Calibration, ObservedRanges};
use quant::observers::{Moments, Range, moments};
use quant::scheme::{Scheme, Symmetry};
use rayon::prelude::*;
use reference::Tensor;
use serde::Serialize;

use super::{Accuracy, Bench};

/// Int8 calibrated on some images.
#[derive(Clone, Debug, Serialize)]
pub struct CalibrationRow {
    /// Which images.
    pub set: String,
    /// How many.
    pub images: usize,
    /// The largest activation range over that of all calibration images, of the layer where
    /// it is smallest.
    pub narrowest: f64,
    /// Of the symmetric int8 network.
    pub accuracy: Accuracy,
}

/// Images that a network is calibrated on, and what they are called.
struct Set {
    name: &'static str,
    images: Tensor<f32>,
}

/// How many images the sets of one kind hold.
const FEW: usize = 40;
/// Parts of the calibration images that a moving average follows, and its constant.
const BATCHES: usize = 4;
const CONSTANT: f32 = 0.25;

impl Bench {
    pub(super) fn calibration(&self) -> Result<Vec<CalibrationRow>, QuantError> {
        let scheme = Scheme::uniform(8, Symmetry::Symmetric);
        let whole = self.calibration.ranges(&scheme)?;
        let row = |name: &str, images: usize, ranges: &ObservedRanges| {
            let width = |range: &Range| f64::from(range.high.max(-range.low));
            let shares = (ranges.outputs.iter().zip(&whole.outputs))
                .map(|(range, whole)| width(range) / width(whole));
            let network = AffineNetwork::quantize(&self.float, ranges, scheme)?;
            Ok::<_, QuantError>(CalibrationRow {
                set: name.to_owned(),
                images,
                narrowest: shares.fold(f64::INFINITY, f64::min),
                accuracy: self.integer(&network)?,
            })
        };
        let mut rows = (self.sets()?.into_par_iter())
            .map(|set| {
                let ranges = Calibration::run(&self.float, &set.images)?.ranges(&scheme)?;
                row(set.name, set.images.shape()[0], &ranges)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let moving = (self.calibration).moving_ranges(scheme.observed_at, BATCHES, CONSTANT)?;
        let all = self.calibration_labels.len();
        rows.push(row("all, a moving average of four batches", all, &moving)?);
        Ok(rows)
    }

    fn sets(&self) -> Result<Vec<Set>, QuantError> {
        let count = self.calibration_labels.len();
        let first = |n: usize| (0..n.min(count)).collect::<Vec<_>>();
        let of_class = |class: u8| {
            let members = (0..count).filter(|&i| self.calibration_labels[i] == class);
            members.collect::<Vec<_>>()
        };
        let least = |key: &dyn Fn(&Moments) -> f64| {
            let mut order = first(count);
            let key = |&i: &usize| key(&moments(self.calibration_images.item(i)));
            order.sort_by(|a, b| key(a).total_cmp(&key(b)));
            order.truncate(FEW);
            order
        };
        let balanced: Vec<usize> = (0..10)
            .flat_map(|class| of_class(class).into_iter().take(FEW / 10))
            .collect();
        let chosen = [
            ("the first", first(1)),
            ("the first", first(4)),
            ("the first", first(16)),
            ("the first", first(100)),
            ("all", first(count)),
            ("four of each class", balanced),
            ("class 0 only", of_class(0)),
            ("class 1 only", of_class(1)),
            ("the darkest", least(&|moments| moments.mean)),
            ("the lowest contrast", least(&|moments| moments.deviation)),
        ];
        let mut sets = (chosen.into_iter())
            .map(|(name, chosen)| {
                let shape = [&[chosen.len()], &self.calibration_images.shape()[1..]].concat();
                let images = chosen.iter().map(|&i| self.calibration_images.item(i));
                let images = Tensor::new(&shape, images.flatten().copied().collect())?;
                Ok(Set { name, images })
            })
            .collect::<Result<Vec<_>, QuantError>>()?;
        sets.extend(self.training_images.clone().map(|images| Set {
            name: "the first of the training set",
            images,
        }));
        Ok(sets)
    }
}
