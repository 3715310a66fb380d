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
