//! `cargo xtask kill-matrix`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use fixtures::Fixtures;
use owo_colors::OwoColorize;
use verify::backend::Trial;
use verify::kill_matrix::{Injection, KillMatrix, is_minimal, minimal};
use verify::model::{GOLDEN, MODELS};

use crate::emit::{IMAGES, ISOLATED};
use crate::exit::Exit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// One network; all, if none is named.
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// Write every injection as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let networks = match &arguments.network {
        Some(name) => vec![crate::network::known(name)?],
        None => fixtures::NETWORKS.to_vec(),
    };
    let fixtures = Fixtures::open(Fixtures::committed_root())?;
    let bar = crate::verify::spinner();
    let mut matrix = KillMatrix::default();
    for network in networks {
        for scheme in MODELS {
            bar.set_message(format!("{network}, {scheme}"));
            let trial = Trial::new(&fixtures, network, scheme, GOLDEN, IMAGES, ISOLATED)?;
            matrix.add(&trial)?;
        }
    }
    bar.finish_and_clear();
    if matrix.injections.is_empty() {
        bail!("no mistake was seen: nothing was measured");
    }
    if let Some(path) = &arguments.json {
        let text = serde_json::to_string_pretty(&matrix)?;
        crate::files::replace(path, text.as_bytes())?;
    }
    table(&matrix);
    Ok(match cases(&matrix) {
        true => Exit::Equal,
        false => Exit::Mismatch,
    })
}

/// How many injections of a mistake each check sees.
#[derive(Default)]
struct Row {
    injected: usize,
    network: usize,
    layers: usize,
    directed: usize,
    beyond_one: usize,
    classes: usize,
    unseen: usize,
}

fn table(matrix: &KillMatrix) {
    let mut rows: BTreeMap<usize, Row> = BTreeMap::new();
    let place = |injection: &Injection| {
        let found = verify::mistakes::ALL
            .iter()
            .position(|known| known.id == injection.mistake);
        found.unwrap_or(usize::MAX)
    };
    for injection in &matrix.unseen {
        rows.entry(place(injection)).or_default().unseen += 1;
    }
    for injection in &matrix.injections {
        let row = rows.entry(place(injection)).or_default();
        let by = |kind: &str| {
            let case = |at: &usize| matrix.cases[*at].rsplit(' ').next().unwrap_or_default();
            usize::from(
                injection
                    .killed_by
                    .iter()
                    .any(|at| case(at).starts_with(kind)),
            )
        };
        row.injected += 1;
        row.network += by("network");
        row.layers += by("layer-");
        row.directed += by("directed-");
        row.beyond_one += usize::from(injection.beyond_one);
        row.classes += usize::from(injection.classes);
    }
    anstream::println!(
        "{:<36}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}",
        "mistake",
        "injected",
        "network",
        "layers",
        "directed",
        "±1",
        "classes",
        "unseen"
    );
    for (at, row) in &rows {
        let id = verify::mistakes::ALL
            .get(*at)
            .map_or("?", |mistake| mistake.id);
        anstream::println!(
            "{id:<36}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}",
            row.injected,
            row.network,
            row.layers,
            row.directed,
            row.beyond_one,
            row.classes,
            row.unseen
        );
    }
    let total = matrix.injections.len();
    let gate = matrix
        .injections
        .iter()
        .filter(|injection| injection.beyond_one)
        .count();
    let classes = matrix
        .injections
        .iter()
        .filter(|injection| injection.classes)
        .count();
    anstream::println!(
        "\n{total} wrong networks: exact comparison sees all, a comparison within ±1 {}, one of \
         the classes {}.",
        gate.bold(),
        classes.bold()
    );
}

/// The fewest cases; false if they are not minimal.
fn cases(matrix: &KillMatrix) -> bool {
    let kills = matrix.kills();
    let cases = minimal(&kills);
    anstream::println!(
        "{} of {} cases see every one of the {} forms of mistakes, and none can be left out:\n",
        cases.len().bold(),
        matrix.cases.len(),
        kills.len()
    );
    for at in &cases {
        let alone = (kills.iter())
            .filter(|kill| kill.intersection(&cases).eq([at]))
            .count();
        anstream::println!("  {:<60} {alone:>5} by it alone", matrix.cases[*at]);
    }
    is_minimal(&cases, &kills)
}
