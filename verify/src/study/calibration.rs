//! What a calibration set must be like.

use quant::QuantError;
use quant::affine::{AffineNetwork, Calibration};
use quant::scheme::{Scheme, Symmetry};
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

impl Bench {
    pub(super) fn calibration(&self) -> Result<Vec<CalibrationRow>, QuantError> {
        let count = self.calibration_labels.len();
        let first = |n: usize| (0..n.min(count)).collect::<Vec<_>>();
        let of_class = |class: u8| {
            let members = (0..count).filter(|&i| self.calibration_labels[i] == class);
            members.collect::<Vec<_>>()
        };
        let by = |key: &dyn Fn(&[f32]) -> f64| {
            let mut order = first(count);
            let keys: Vec<f64> = order
                .iter()
                .map(|&i| key(self.calibration_images.item(i)))
                .collect();
            order.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
            order.truncate(40);
            order
        };
        let mean =
            |image: &[f32]| image.iter().map(|&x| f64::from(x)).sum::<f64>() / image.len() as f64;
        let contrast = |image: &[f32]| quant::observers::moments(image).deviation;
        let balanced: Vec<usize> = (0..10)
            .flat_map(|c| of_class(c).into_iter().take(4))
            .collect();
        let sets = [
            ("the first".to_owned(), first(1)),
            ("the first".to_owned(), first(4)),
            ("the first".to_owned(), first(16)),
            ("the first".to_owned(), first(100)),
            ("all".to_owned(), first(400)),
            ("four of each class".to_owned(), balanced),
            ("class 0 only".to_owned(), of_class(0)),
            ("class 1 only".to_owned(), of_class(1)),
            ("the darkest".to_owned(), by(&mean)),
            ("the lowest contrast".to_owned(), by(&contrast)),
        ];
        let scheme = Scheme::uniform(8, Symmetry::Symmetric);
        let whole = self.calibration.ranges(&scheme)?;
        sets.into_iter()
            .map(|(set, chosen)| {
                let shape = [&[chosen.len()], &self.calibration_images.shape()[1..]].concat();
                let images = chosen
                    .iter()
                    .flat_map(|&i| self.calibration_images.item(i).to_vec());
                let images = Tensor::new(&shape, images.collect())?;
                let ranges = Calibration::run(&self.float, &images)?.ranges(&scheme)?;
                let width = |range: &quant::observers::Range| f64::from(range.high.max(-range.low));
                let shares = (ranges.outputs.iter().zip(&whole.outputs))
                    .map(|(range, whole)| width(range) / width(whole));
                let narrowest = shares.fold(f64::INFINITY, f64::min);
                let network = AffineNetwork::quantize(&self.float, &ranges, scheme)?;
                Ok(CalibrationRow {
                    set,
                    images: chosen.len(),
                    narrowest,
                    accuracy: self.integer(&network)?,
                })
            })
            .collect()
    }
}
