//! What is seen, in words that come of the numbers.

use crate::study::{Accuracy, BitsRow, CalibrationRow, ErrorRow, NetworkStudy, RangeRow};

use super::percent;

/// How far below float, in points.
fn below(float: &Accuracy, other: &Accuracy) -> f64 {
    float.percent() - other.percent()
}

fn points(distance: f64) -> String {
    match distance {
        d if d.abs() < 0.005 => "as much as float".into(),
        d if d > 0.0 => format!("{d:.2} points below float"),
        d => format!("{:.2} points above float", -d),
    }
}

pub(super) fn weights(network: &NetworkStudy) -> String {
    let layers = network.weights.iter().filter(|layer| layer.name != "all");
    let outside = |n: usize| {
        let shares: Vec<f64> = layers
            .clone()
            .map(|layer| layer.outside[n].fraction * 100.0)
            .collect();
        let low = shares.iter().copied().fold(f64::INFINITY, f64::min);
        let high = shares.iter().copied().fold(0.0, f64::max);
        format!("{low:.1} to {high:.1} %")
    };
    format!(
        "Of the weights of a layer, {} lie outside one σ, {} outside two and {} outside three.",
        outside(0),
        outside(1),
        outside(2)
    )
}

pub(super) fn ranges(network: &NetworkStudy) -> String {
    let of = |name: &str| network.ranges.iter().find(|row| row.range == name);
    let best = network.ranges.iter().max_by_key(|row| row.integer.right);
    let worst = network.ranges.iter().min_by_key(|row| row.integer.right);
    let say = |row: &RangeRow| {
        format!(
            "{} ({}, {})",
            row.range,
            percent(row.integer.percent()),
            points(below(&network.float, &row.integer))
        )
    };
    let mut text = match (best, worst) {
        (Some(best), Some(worst)) => format!(
            "With all int8 the best range for the weights is {}, the worst {}.",
            say(best),
            say(worst)
        ),
        _ => String::new(),
    };
    if let (Some(three), Some(one)) = (of("3σ"), of("1σ")) {
        text += &format!(
            " From 3σ to 1σ clipping costs {:.2} points of weights-only accuracy.",
            three.weights_only.percent() - one.weights_only.percent()
        );
    }
    text
}

pub(super) fn errors(network: &NetworkStudy) -> String {
    let dominated = |tensor: &str, range: &str| {
        let rows: Vec<&ErrorRow> = (network.errors.iter())
            .filter(|row| row.tensor == tensor && row.range == range)
            .collect();
        let clipped = rows
            .iter()
            .filter(|row| match (row.clipping, row.rounding) {
                (Some(clipping), Some(rounding)) => clipping < rounding,
                (Some(_), None) => true,
                _ => false,
            });
        (clipped.count(), rows.len())
    };
    let say = |range: &str| {
        let ((weights, layers), (activations, outputs)) =
            (dominated("weights", range), dominated("activations", range));
        format!(
            "{range}: weights of {weights} of {layers} layers, activations of {activations} of {outputs}"
        )
    };
    format!(
        "Clipping is the larger of the two errors at {}; {}; {}.",
        say("max-abs"),
        say("3σ"),
        say("1σ")
    )
}

pub(super) fn bits(network: &NetworkStudy) -> String {
    let least = |bits: Option<u32>| match bits {
        Some(1) => "1 bit".into(),
        Some(bits) => format!("{bits} bits"),
        None => "none of these widths".to_owned(),
    };
    let chance = 100.0 / 10.0 * 2.0;
    let at_chance: Vec<String> = (network.bits.iter())
        .filter(|row| row.asymmetric.integer.percent() < chance)
        .map(|row| row.bits.to_string())
        .collect();
    let apart = |row: &BitsRow| {
        let executors = [row.symmetric, row.asymmetric];
        let gaps = executors.map(|e| (e.integer.percent() - e.simulated.percent()).abs());
        gaps[0].max(gaps[1])
    };
    let most = network.bits.iter().map(apart).fold(0.0, f64::max);
    let guessed = match at_chance.as_slice() {
        [] => String::new(),
        widths => format!(
            " Below {chance:.0} %, near guessing, asymmetric: {} bits.",
            widths.join(", ")
        ),
    };
    format!(
        "Within one point of float: {} symmetric, {} asymmetric.{guessed} The two executors are at most {most:.2} points apart.",
        least(network.least_bits.symmetric),
        least(network.least_bits.asymmetric)
    )
}

pub(super) fn storage(network: &NetworkStudy) -> String {
    let of = |name: &str| network.storage.iter().find(|row| row.stored == name);
    match (of("float32"), of("int8")) {
        (Some(float), Some(int8)) => format!(
            "int8 takes {:.1} % of float32's bytes, measured from the saved file, and classifies {}.",
            int8.file as f64 / float.file as f64 * 100.0,
            points(below(&float.accuracy, &int8.accuracy))
        ),
        _ => String::new(),
    }
}

pub(super) fn calibration(network: &NetworkStudy) -> String {
    let worst = (network.calibration.iter()).min_by_key(|row| row.accuracy.right);
    let narrow = network
        .calibration
        .iter()
        .min_by(|a, b| a.narrowest.total_cmp(&b.narrowest));
    let say = |row: &CalibrationRow| format!("{} ({} images)", row.set, row.images);
    match (worst, narrow) {
        (Some(worst), Some(narrow)) => format!(
            "Least accurate, {}: calibrated on {}. Narrowest: {}, whose ranges reach {:.0} % of those of all images in one layer.",
            points(below(&network.float, &worst.accuracy)),
            say(worst),
            say(narrow),
            narrow.narrowest * 100.0
        ),
        _ => String::new(),
    }
}
