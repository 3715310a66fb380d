//! What is said, in the words that the numbers give.

use num_traits::ToPrimitive;
use quant::graph::adjust::Adjustment;
use quant::sq8::out_scale::CHANGES;
use serde::Serialize;

use super::{Calibrated, Explanation};
use crate::qsnr::Qsnr;

/// A heading, paragraphs and a table.
#[derive(Serialize)]
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) paragraphs: Vec<String>,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// All of them.
pub(super) fn sections(of: &Explanation) -> Vec<Section> {
    vec![
        fused(of),
        adjusted(of),
        calibrated(of),
        scales(of),
        changes(),
        normalized(of),
    ]
}

fn head<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

fn fused(of: &Explanation) -> Section {
    let fused = (of.fusions.fused.iter())
        .map(|kernel| vec![kernel.members.join(" + "), kernel.into.clone()]);
    let left = (of.fusions.left.iter())
        .map(|left| vec![left.node.clone(), format!("alone: {}", left.reason)]);
    let moved: Vec<String> = of.fusions.moved.iter().map(ToString::to_string).collect();
    Section {
        title: "What was fused",
        paragraphs: vec![
            "`fusions --scale8` does it, before `aquant`: a filter with the pool and the activation \
             behind it becomes one kernel, which writes one tensor. Only max-pools move before a \
             ReLU; the largest of rectified values is the rectified largest, so no value changes."
                .into(),
            match moved.is_empty() {
                true => "Nothing had to be moved for it.".into(),
                false => format!("Moved for it: {}.", moved.join(", ")),
            },
        ],
        head: head(["layers", "kernel"]),
        rows: fused.chain(left).collect(),
    }
}

fn adjusted(of: &Explanation) -> Section {
    let row = |adjustment: &Adjustment| {
        vec![
            adjustment.target.to_string(),
            adjustment.count("inserted").to_string(),
            adjustment.kept.len().to_string(),
            adjustment.count("reordered").to_string(),
            adjustment.count("absorbed").to_string(),
        ]
    };
    Section {
        title: "What adjust is for",
        paragraphs: vec![
            "`adjust` brings every operator into the order of axes that the kernels read: weights \
             are stored otherwise where that is enough, and transposes put in, pushed together and \
             cancelled where it is not. It changes no value. A network from PyTorch is in the order \
             of the kernels (chw) already, but `gen` refuses one that was not adjusted; hwc is the \
             order of NE16."
                .into(),
        ],
        head: head(["to", "inserted", "left", "weights reordered", "absorbed"]),
        rows: of.adjusted.iter().map(row).collect(),
    }
}

fn calibrated(of: &Explanation) -> Section {
    let row = |set: &Calibrated| {
        let mut row = vec![set.images.clone()];
        row.extend(set.scales.iter().map(|scale| format!("{scale:.5}")));
        row.push(decibels(&set.qsnr));
        row.push(set.qsnr.agrees.to_string());
        row
    };
    let mut cells = vec!["images".to_owned()];
    cells.extend(of.scales.iter().map(|scale| scale.layer.clone()));
    cells.extend([
        "QSNR, dB".to_owned(),
        format!("same class of {}", of.tested),
    ]);
    Section {
        title: "Why calibration images",
        paragraphs: vec![
            "The range of a weight is known from the weight. That of an activation depends on the \
             images, and `OUT_SCALE` is that range over 127 or 255: without images there is none."
                .into(),
            "Too small a range cuts off, too large a one is coarse. So the images must be like those \
             in use, in brightness too, of all classes, preprocessed to the bit as in training, and \
             enough of them that one more moves little; labels are not needed. The smallest and the \
             largest value count, so one odd image spoils them. NNTool keeps the ranges in its \
             state file, not the images."
                .into(),
        ],
        head: cells,
        rows: of.calibrations.iter().map(row).collect(),
    }
}

fn scales(of: &Explanation) -> Section {
    let mut cells = head(["layer", "by hand"]);
    cells.extend(CHANGES.map(|change| format!("× {}", change.name)));
    cells.extend(head(["= whole", "OUT_SCALE"]));
    let rows = of.scales.iter().map(|scale| {
        let [first, .., last] = &scale.values;
        let factors = scale.factors();
        let shown = factors.iter().chain(&scale.whole()).map(factor).collect();
        let parts: [Vec<String>; 3] = [
            vec![scale.layer.clone(), format!("{first:.5}")],
            shown,
            vec![format!("{last:.5}")],
        ];
        parts.concat()
    });
    Section {
        title: "Why OUT_SCALE is another number",
        paragraphs: vec![format!(
            "By hand is s_O of max-abs in the relative convention. One thing after the other is \
             changed, in this order, until the scale is what `aquant` makes of the first {} test \
             images with `-D 255`. Each factor is the scale after the change over the scale before, as \
             a fraction of the two numbers; so their product is the whole exactly, and what is shown \
             is rounded. In another order the shares would be others.",
            of.tested
        )],
        head: cells,
        rows: rows.collect(),
    }
}

fn factor(ratio: &num_rational::BigRational) -> String {
    // As float64 for the eye alone.
    let shown = ratio.to_f64().unwrap_or(f64::NAN);
    match shown {
        1.0 => "1".into(),
        ..0.01 => format!("{shown:.4e}"),
        _ => format!("{shown:.5}"),
    }
}

fn changes() -> Section {
    let row = |(at, change): (usize, &quant::sq8::out_scale::Change)| {
        vec![
            (at + 1).to_string(),
            change.name.to_owned(),
            change.what.to_owned(),
        ]
    };
    Section {
        title: "What each change is",
        paragraphs: Vec::new(),
        head: head(["", "change", "from there on"]),
        rows: CHANGES.iter().enumerate().map(row).collect(),
    }
}

fn normalized(of: &Explanation) -> Section {
    let row = |(how, qsnr): (&str, &Qsnr)| {
        vec![
            how.to_owned(),
            decibels(qsnr),
            qsnr.agrees.to_string(),
            qsnr.agrees_with_right.to_string(),
            qsnr.float_agrees_with_right.to_string(),
        ]
    };
    let [right, wrong] = &of.normalized;
    Section {
        title: "The trap: -D 255",
        paragraphs: vec![format!(
            "The network was trained on (pixel/255 − 0.5)/0.5, from −1 to 1. `aquant -D 255` gives it \
             pixel/255, from 0 to 1, both to calibrate and to run: right is `-D 127.5 -O -1`. The \
             decibels do not show it, since the float network beside it is given the same pixels; \
             the classes do: {} of {} images are classified as the trained network classifies them, \
             instead of {}.",
            wrong.agrees_with_right, wrong.images, right.agrees_with_right
        )],
        head: head([
            "pixels",
            "QSNR, dB",
            "as its float",
            "as trained",
            "its float as trained",
        ]),
        rows: [("−1 to 1", right), ("0 to 1", wrong)].map(row).to_vec(),
    }
}

/// Of the network's output.
fn decibels(qsnr: &Qsnr) -> String {
    (qsnr.layers.last()).map_or_else(String::new, |layer| format!("{:.1}", layer.mean))
}
