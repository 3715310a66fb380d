//! A verdict within bounds, for a terminal and for machines.

use comfy_table::{CellAlignment, Table, presets};

use super::{OwnVerdict, Share};
use crate::compare::percent_up;
use crate::report::shape;

/// A table, what is to blame, the verdict as the last line.
pub fn render_human(verdict: &OwnVerdict) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header([
        "layer",
        "shape",
        "largest error, steps",
        "of the bound",
        "… by itself",
        "result",
    ]);
    for share in &verdict.layers {
        table.add_row([
            share.layer.clone(),
            shape(&share.shape),
            format!("{:.2}", share.largest),
            percent_up(share.cumulative),
            percent_up(share.by_itself),
            result(share).into(),
        ]);
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if (2..5).contains(&at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let last = match verdict.to_blame() {
        None => format!(
            "{}: every layer is within the bound of its own input",
            verdict.network
        ),
        Some(share) => format!(
            "{}: {} is the first to blame: at {:?} it uses {} of what its input explains",
            verdict.network,
            share.layer,
            share.position,
            percent_up(share.by_itself)
        ),
    };
    format!("{}\n\n{last}\n", table.trim_fmt())
}

/// As one JSON object.
pub fn render_json(verdict: &OwnVerdict) -> String {
    let blame = verdict.to_blame().map(|share| &share.layer);
    let report = serde_json::json!({
        "network": verdict.network,
        "passed": verdict.passed(),
        "to_blame": blame,
        "layers": verdict.layers,
    });
    format!("{report:#}")
}

fn result(share: &Share) -> &'static str {
    match (share.by_itself > 1.0, share.cumulative > 1.0) {
        (true, _) => "OUTSIDE",
        (false, true) => "explained by its input",
        (false, false) => "within",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(shares: &[[f64; 2]]) -> OwnVerdict {
        let layers = shares.iter().enumerate().map(|(at, &share)| Share {
            layer: format!("layer{at}"),
            shape: vec![2, 3],
            largest: 1.5,
            cumulative: share[0],
            by_itself: share[1],
            position: vec![1, 2],
        });
        OwnVerdict {
            network: "it".into(),
            layers: layers.collect(),
        }
    }

    /// All of a bound may be used.
    #[test]
    fn beyond_is_more_than_the_whole_bound() {
        let whole = verdict(&[[1.0, 1.0], [1.0, 0.5]]);
        assert!(whole.passed());
        let beyond = f64::from_bits(1f64.to_bits() + 1);
        let explained = verdict(&[[beyond, 1.0]]);
        assert!(explained.passed());
        let results = |verdict: &OwnVerdict| verdict.layers.iter().map(result).collect::<Vec<_>>();
        assert_eq!(results(&whole), ["within"; 2]);
        assert_eq!(results(&explained), ["explained by its input"]);
        let wrong = verdict(&[[0.5, 1.0], [1.0, beyond], [9.0, 9.0]]);
        assert_eq!(results(&wrong), ["within", "OUTSIDE", "OUTSIDE"]);
        assert!(!wrong.passed());
        assert_eq!(wrong.to_blame().map(|share| &*share.layer), Some("layer1"));
    }

    #[test]
    fn a_machine_reads_the_same() {
        let read = |verdict: &OwnVerdict| {
            serde_json::from_str::<serde_json::Value>(&render_json(verdict)).unwrap()
        };
        let wrong = read(&verdict(&[[0.5, 0.5], [2.0, 2.0]]));
        assert_eq!(wrong["passed"], false);
        assert_eq!(
            (&wrong["network"], &wrong["to_blame"]),
            (&"it".into(), &"layer1".into())
        );
        assert_eq!(wrong["layers"][1]["by_itself"], 2.0);
        let right = read(&verdict(&[[0.5, 0.5]]));
        assert_eq!(
            (&right["passed"], &right["to_blame"]),
            (&true.into(), &serde_json::Value::Null)
        );
    }
}
