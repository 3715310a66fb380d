//! What is seen, in words that come of the numbers.

use crate::study::{
    AFTER_RELU, Accuracy, BitsRow, CalibrationRow, ErrorRow, NetworkStudy, RangeRow, Study,
};

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

fn width(bits: Option<u32>) -> String {
    match bits {
        Some(1) => "1 bit".into(),
        Some(bits) => format!("{bits} bits"),
        None => "more than 16 bits".into(),
    }
}

/// Does the width that is needed follow the data or the architecture?
pub(super) fn overview(study: &Study) -> String {
    let mut sets: Vec<(&str, Vec<(&str, u32)>)> = Vec::new();
    for network in &study.networks {
        let Some(bits) = network.least_bits.asymmetric else {
            continue;
        };
        let member = (network.name.as_str(), bits);
        match sets.iter_mut().find(|(data, _)| *data == network.data) {
            Some((_, members)) => members.push(member),
            None => sets.push((&network.data, vec![member])),
        }
    }
    let ends = |members: &[(&str, u32)]| {
        let bits = || members.iter().map(|member| member.1);
        bits().min().zip(bits().max()).unwrap_or_default()
    };
    let of_sets: Vec<String> = (sets.iter())
        .map(|(data, members)| match ends(members) {
            (low, high) if low == high => format!("{low} on {data}"),
            (low, high) => format!("{low} to {high} on {data}"),
        })
        .collect();
    let mut text = format!(
        "The least bits of weights and activations, asymmetric, within one point of float: {}.",
        of_sets.join(", ")
    );
    if let [(one, a), (other, b)] = sets.as_slice() {
        let ((low_a, high_a), (low_b, high_b)) = (ends(a), ends(b));
        let architectures = a.len().max(b.len());
        text += &match (high_a < low_b, high_b < low_a) {
            _ if architectures < 2 => String::new(),
            (true, _) | (_, true) => format!(
                " Every network on {} needs more than any on {}: the knee follows the data, not the architecture.",
                if high_a < low_b { other } else { one },
                if high_a < low_b { one } else { other },
            ),
            _ => {
                " The widths of the two data sets overlap: the knee does not follow the data alone."
                    .into()
            }
        };
    }
    text
}

/// What is defined where a scheme leaves a choice.
pub(super) fn notes(study: &Study) -> Vec<String> {
    let sigma = match study.networks.iter().any(|network| network.cap_sigma) {
        true => "An n·σ range is no wider than the data (--cap-sigma).",
        false => "An n·σ range wider than the data is kept; --cap-sigma narrows it to the data.",
    };
    [
        "σ is the sample standard deviation, with n − 1.",
        sigma,
        "Symmetric codes lie about 0, s = max|x| over the codes of one side; with 1 bit that side is the negative one: codes −1 and 0, s = max|x|.",
        "Asymmetric: the range is widened to hold 0; activations are unsigned and observed after the ReLU that follows.",
        "Weights only: activations are float. Simulated: every layer runs in float32 on s·(q − z) and its output passes through codes. Integer: codes from the input to the output.",
        "SQNR is 10·log₁₀(Σx²/Σ(x − x̂)²); clipping counts the values beyond the codes, rounding the others.",
        "Files are measured as they are saved: weights packed to their bits, int32 biases, float32 scales, and a header that describes the network.",
    ]
    .map(str::to_owned)
    .to_vec()
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

pub(super) fn activations(network: &NetworkStudy) -> String {
    let rectified = || {
        (network.activations.iter())
            .filter(|tensor| tensor.name.ends_with(AFTER_RELU))
            .map(|tensor| tensor.zero * 100.0)
    };
    let low = rectified().fold(f64::INFINITY, f64::min);
    let high = rectified().fold(0.0, f64::max);
    let ends = |name: &str| {
        network
            .activations
            .iter()
            .find(|tensor| tensor.name == name)
    };
    let input = ends("input").map_or(String::new(), |input| {
        format!(
            " The input reaches from {} to {}.",
            super::short(input.min),
            super::short(input.max)
        )
    });
    format!(
        "Over the {} calibration images, before and after ReLU, which makes {low:.0} to {high:.0} % of a layer's outputs 0.{input}",
        network.calibration_images
    )
}

pub(super) fn scales(network: &NetworkStudy) -> String {
    let bits = network.scales.iter().filter_map(|row| row.accumulator_bits);
    let most = bits.max().unwrap_or_default();
    format!(
        "Of symmetric int8 in three conventions, where the multiplier is n_O = 1/s_O, and of asymmetric int8. {most} bits hold every accumulator of the first, whatever the input."
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
    let apart = match most {
        0.0 => "The two executors are right equally often.".into(),
        _ => format!("The two executors are at most {most:.2} points apart."),
    };
    let guessed = match at_chance.as_slice() {
        [] => String::new(),
        widths => format!(
            " Below {chance:.0} %, near guessing, asymmetric: {} bits.",
            widths.join(", ")
        ),
    };
    format!(
        "Within one point of float: {} symmetric, {} asymmetric.{guessed} {apart}",
        width(network.least_bits.symmetric),
        width(network.least_bits.asymmetric)
    )
}

pub(super) fn simulation(network: &NetworkStudy) -> String {
    let compared: usize = network.simulation.iter().map(|row| row.compared).sum();
    let differences = || network.simulation.iter().flat_map(|row| &row.differences);
    let differing = match differences().count() {
        0 => "every one is PyTorch's".into(),
        count => match differences().filter(|d| !d.explained).count() {
            0 => format!(
                "{count} are not PyTorch's, each so near a rounding boundary that float32 sums in another order may round to either"
            ),
            wrong => format!("{count} are not PyTorch's, {wrong} of them without a reason"),
        },
    };
    format!(
        "Of {compared} codes that PyTorch gives layers dequantizing in float32, {differing}. Integers have no such freedom: they are equal, or `cargo test` fails."
    )
}

pub(super) fn training(network: &NetworkStudy) -> String {
    let gains = (network.training.iter()).map(|row| {
        format!(
            "{:+.2} points with {}",
            row.aware.percent() - row.post_training.percent(),
            width(Some(row.bits))
        )
    });
    format!(
        "Asymmetric, integers throughout, the same path for both. Training with fake quantization gains {}.",
        gains.collect::<Vec<_>>().join(", ")
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
    let say = |row: &CalibrationRow| match row.images {
        1 => format!("{}, 1 image", row.set),
        images => format!("{}, {images} images", row.set),
    };
    match (worst, narrow) {
        (Some(worst), Some(narrow)) => format!(
            "Least accurate, {}: calibrated on {}. Narrowest: {}, whose range is {:.0} % of that of all images in one layer.",
            points(below(&network.float, &worst.accuracy)),
            say(worst),
            say(narrow),
            narrow.narrowest * 100.0
        ),
        _ => String::new(),
    }
}
