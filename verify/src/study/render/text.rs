//! What is seen, in words that come of the numbers.

use quant::observers::Observer;

use super::percent;
use crate::study::{
    AFTER_RELU, Accuracy, BitsRow, CalibrationRow, ErrorRow, NetworkStudy, StorageRow, Study,
};

/// How far above float, in points.
fn above(float: &Accuracy, other: &Accuracy) -> f64 {
    other.percent() - float.percent()
}

fn points(above: f64) -> String {
    match above {
        d if d.abs() < 0.005 => "as accurate as float".into(),
        d if d < 0.0 => format!("{:.2} points below float", -d),
        d => format!("{d:.2} points above float"),
    }
}

fn width(bits: u32) -> String {
    match bits {
        1 => "1 bit".into(),
        bits => format!("{bits} bits"),
    }
}

/// "a, b and c".
fn all_of(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [several @ .., last] => format!("{} and {last}", several.join(", ")),
    }
}

/// Does the width that is needed follow the data or the architecture?
pub(super) fn overview(study: &Study) -> String {
    let needed: Vec<String> = (study.networks.iter())
        .map(|network| {
            let bits = network.least_bits.asymmetric;
            let bits = bits.map_or("more than 16".into(), |bits| bits.to_string());
            format!("{} {bits} ({})", network.name, network.data)
        })
        .collect();
    let text = format!(
        "The least bits of weights and activations, asymmetric, from which on every width is within one point of float: {}.",
        all_of(&needed)
    );
    let mut sets: Vec<(&str, Vec<u32>)> = Vec::new();
    for network in &study.networks {
        // Beyond the widths that were measured.
        let bits = network.least_bits.asymmetric.unwrap_or(u32::MAX);
        match sets.iter_mut().find(|(data, _)| *data == network.data) {
            Some((_, widths)) => widths.push(bits),
            None => sets.push((&network.data, vec![bits])),
        }
    }
    let [(one, a), (other, b)] = sets.as_slice() else {
        return text;
    };
    if a.len().min(b.len()) < 2 {
        return text;
    }
    let less = |a: &[u32], b: &[u32]| a.iter().max() < b.iter().min();
    text + &match (less(a, b), less(b, a)) {
        (true, _) => format!(
            " Of these, every network on {other} needs more than any on {one}, whatever its layers."
        ),
        (_, true) => format!(
            " Of these, every network on {one} needs more than any on {other}, whatever its layers."
        ),
        _ => {
            format!(" The widths on {one} and on {other} overlap: the data alone does not decide.")
        }
    }
}

/// What is defined where a scheme leaves a choice.
pub(super) fn notes(study: &Study) -> Vec<String> {
    let sigma = match study.networks.iter().any(|network| network.cap_sigma) {
        true => "An n·σ range is no wider than the data (--cap-sigma).",
        false => "An n·σ range wider than the data is kept; --cap-sigma narrows it to the data.",
    };
    [
        "One standard error is √(p(1 − p)/n) of float's accuracy p over n images; smaller differences say little.",
        "σ is the sample standard deviation, with n − 1.",
        sigma,
        "A percentile is of |x|; least squares tries the whole range times 1, 0.99, … 0.01; entropy clips a histogram of 2,048 bins where it loses least when coarsened to the codes (beyond 2,048 codes it clips nothing).",
        "Symmetric codes lie about 0, s = max|x| over the codes of one side; with 1 bit that side is the negative one: codes −1 and 0, s = max|x|. Activations are observed before ReLU.",
        "Asymmetric: the range is widened to hold 0; activations are unsigned and observed after the ReLU that follows, so they spend no code on what it takes away.",
        "Weights only: activations and biases are float. Simulated: every layer runs in float32 on s·(q − z), with its float bias, and its output passes through codes. Integer: codes from the input to the output, biases rounded to steps of s_W·s_I, which few bits make coarse.",
        "SQNR is 10·log₁₀(Σx²/Σ(x − x̂)²); clipping counts the values beyond the codes, rounding the others. Activations are those before ReLU.",
        "Files are measured as they are saved and loaded back: weights packed to their bits, int32 biases, float32 scales, and in integer files a header that describes the network.",
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
    let rectified: Vec<f64> = (network.activations.iter())
        .filter(|tensor| tensor.name.ends_with(AFTER_RELU))
        .map(|tensor| tensor.zero * 100.0)
        .collect();
    let zeros = match rectified.as_slice() {
        [] => "no ReLU follows a layer".into(),
        shares => {
            let low = shares.iter().copied().fold(f64::INFINITY, f64::min);
            let high = shares.iter().copied().fold(0.0, f64::max);
            format!("ReLU makes {low:.0} to {high:.0} % of a layer's outputs 0")
        }
    };
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
        "Over the {} calibration images: {zeros}.{input}",
        network.calibration_images
    )
}

pub(super) fn scales(network: &NetworkStudy) -> String {
    let most = |bits: &mut dyn Iterator<Item = Option<u32>>| bits.flatten().max();
    let symmetric = most(&mut network.scales.iter().map(|row| row.accumulator_bits));
    let asymmetric = most(&mut network.zero_points.iter().map(|row| row.accumulator_bits));
    format!(
        "First symmetric int8, the network that `verify` holds against PyTorch, in three conventions (n = 1/s); then asymmetric int8. {} and {} bits hold every accumulator, whatever the input.",
        symmetric.unwrap_or_default(),
        asymmetric.unwrap_or_default()
    )
}

pub(super) fn ranges(network: &NetworkStudy) -> String {
    let rights = || network.ranges.iter().map(|row| row.integer.right);
    let (Some(most), Some(least)) = (rights().max(), rights().min()) else {
        return String::new();
    };
    let say = |right: usize| {
        let rows: Vec<_> = (network.ranges.iter())
            .filter(|row| row.integer.right == right)
            .collect();
        let names: Vec<String> = rows.iter().map(|row| row.range.clone()).collect();
        let accuracy = rows[0].integer;
        format!(
            "{} ({}, {})",
            all_of(&names),
            percent(accuracy.percent()),
            points(above(&network.float, &accuracy))
        )
    };
    if most == least {
        return format!(
            "Every rule for the range is right equally often: {}.",
            say(most)
        );
    }
    let mut text = format!(
        "With activations at max-abs, the most accurate int8 is that of {}, the least that of {}.",
        say(most),
        say(least)
    );
    let sigma = |wanted: f64| {
        let rows = network.ranges.iter();
        let found =
            rows.filter(|row| matches!(row.observer, Observer::NSigma { n, .. } if n == wanted));
        found.map(|row| row.weights_only.percent()).next()
    };
    if let (Some(three), Some(one)) = (sigma(3.0), sigma(1.0)) {
        text += &match three - one {
            0.0 => " With only the weights quantized, 3σ and 1σ are right equally often.".into(),
            d if d > 0.0 => format!(
                " With only the weights quantized, 1σ is {d:.2} points less accurate than 3σ."
            ),
            d => format!(
                " With only the weights quantized, 1σ is {:.2} points more accurate than 3σ.",
                -d
            ),
        };
    }
    text
}

pub(super) fn errors(network: &NetworkStudy) -> String {
    let dominated = |tensor: &str, wanted: &dyn Fn(Observer) -> bool| {
        let rows: Vec<&ErrorRow> = (network.errors.iter())
            .filter(|row| row.tensor == tensor && wanted(row.observer))
            .collect();
        let clipped = rows
            .iter()
            .filter(|row| match (row.clipping, row.rounding) {
                (Some(clipping), Some(rounding)) => clipping < rounding,
                (Some(_), None) => true,
                _ => false,
            });
        format!("{} of {}", clipped.count(), rows.len())
    };
    let say = |name: &str, wanted: &dyn Fn(Observer) -> bool| {
        format!(
            "{name}, of the weights in {} layers and of the activations in {} tensors",
            dominated("weights", wanted),
            dominated("activations", wanted)
        )
    };
    let sigma = |wanted: f64| move |observer: Observer| matches!(observer, Observer::NSigma { n, .. } if n == wanted);
    format!(
        "Clipping is the larger of the two errors at {}; at {}; at {}.",
        say("max-abs", &|observer| observer == Observer::MinMax),
        say("3σ", &sigma(3.0)),
        say("1σ", &sigma(1.0))
    )
}

pub(super) fn bits(network: &NetworkStudy) -> String {
    let least = |bits: Option<u32>| bits.map_or("more than 16 bits".into(), width);
    // Ten classes.
    let chance = 2.0 * 10.0;
    let at_chance: Vec<String> = (network.bits.iter())
        .filter(|row| row.asymmetric.integer.percent() < chance)
        .map(|row| row.bits.to_string())
        .collect();
    let guessed = match at_chance.as_slice() {
        [] => String::new(),
        widths => format!(
            " Asymmetric codes of {} are right for fewer than {chance:.0} % of the images: near guessing.",
            match widths {
                [one] if one == "1" => "1 bit".into(),
                several => format!("{} bits", all_of(several)),
            }
        ),
    };
    let gaps = network.bits.iter().flat_map(|row: &BitsRow| {
        [("symmetric", row.symmetric), ("asymmetric", row.asymmetric)].map(|(name, run)| {
            let gap = above(&run.simulated, &run.integer);
            (gap, name, row.bits)
        })
    });
    let apart = match gaps.max_by(|a, b| a.0.abs().total_cmp(&b.0.abs())) {
        Some((gap, name, bits)) if gap != 0.0 => format!(
            " The integer and the simulated network are farthest apart with {} {name}, {:.2} points.",
            width(bits),
            gap.abs()
        ),
        _ => " The integer and the simulated network are right equally often.".into(),
    };
    format!(
        "Every width is within one point of float from {} on symmetric, from {} on asymmetric.{guessed}{apart}",
        least(network.least_bits.symmetric),
        least(network.least_bits.asymmetric)
    )
}

pub(super) fn simulation(network: &NetworkStudy) -> String {
    let compared: usize = network.simulation.iter().map(|row| row.compared).sum();
    let differences = || network.simulation.iter().flat_map(|row| &row.differences);
    let differing = match differences().count() {
        0 => "none differs".into(),
        count => match differences().filter(|d| !d.explained).count() {
            0 => format!(
                "{count} differ, each so near a rounding boundary that float32 sums in another order may round to either side"
            ),
            wrong => format!("{count} differ, {wrong} of them without a reason"),
        },
    };
    format!(
        "PyTorch's own codes, each layer given PyTorch's: of {compared}, {differing}. (The integer network has no such freedom; its tests demand equality.)"
    )
}

pub(super) fn training(network: &NetworkStudy) -> String {
    let gains = (network.training.iter()).map(|row| {
        let better = row.post_training.right.max(row.least_squares.right);
        let distance = (row.aware.right as f64 - better as f64) / row.aware.of.max(1) as f64;
        format!("{:+.2} with {}", distance * 100.0, width(row.bits))
    });
    format!(
        "Trained on from the float weights with PyTorch's fake quantization, then run as the same kind of integer network, asymmetric. Points beside the better of the two that were quantized after training: {}.",
        all_of(&gains.collect::<Vec<_>>())
    )
}

pub(super) fn storage(network: &NetworkStudy) -> String {
    let of = |name: &str| network.storage.iter().find(|row| row.stored == name);
    match (of("float32"), of("int8")) {
        (Some(float), Some(int8)) => {
            let share =
                |bytes: fn(&StorageRow) -> usize| bytes(int8) as f64 / bytes(float) as f64 * 100.0;
            format!(
                "The parameters of int8 take {:.1} % of float32's bytes, its file {:.1} %, and it is {}.",
                share(|row| row.parameters),
                share(|row| row.file),
                points(above(&float.accuracy, &int8.accuracy))
            )
        }
        _ => String::new(),
    }
}

pub(super) fn calibration(network: &NetworkStudy) -> String {
    let say = |row: &CalibrationRow| match row.images {
        1 => format!("{} image", row.set),
        images => format!("{} ({images} images)", row.set),
    };
    let least = network
        .calibration
        .iter()
        .map(|row| row.accuracy.right)
        .min();
    let worst: Vec<&CalibrationRow> = (network.calibration.iter())
        .filter(|row| Some(row.accuracy.right) == least)
        .collect();
    let narrow = network
        .calibration
        .iter()
        .min_by(|a, b| a.narrowest.total_cmp(&b.narrowest));
    let (Some(first), Some(narrow)) = (worst.first(), narrow) else {
        return String::new();
    };
    let names: Vec<String> = worst.iter().map(|row| say(row)).collect();
    let names = match worst.len() == network.calibration.len() {
        true => "any of these".into(),
        false => all_of(&names),
    };
    let mut text = format!(
        "Least accurate, {}: calibrated on {}. Narrowest: {}, whose range is {:.0} % of that of all images in one layer.",
        points(above(&network.float, &first.accuracy)),
        names,
        say(narrow),
        narrow.narrowest * 100.0
    );
    let most = network.calibration.iter().map(|row| row.images).max();
    if most <= Some(network.calibration_images) {
        text += " More images than these need the data set (--data).";
    }
    text
}

#[cfg(test)]
mod tests;
