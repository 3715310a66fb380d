//! `cargo xtask kill-matrix`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use fixtures::Fixtures;
use owo_colors::OwoColorize;
use verify::backend::Trial;
use verify::kill_matrix::{Injection, KillMatrix, PROPERTIES, is_minimal, minimal};
use verify::model::{GOLDEN, MODELS};

use crate::emit::{IMAGES, ISOLATED};
use crate::exit::Exit;
use crate::progress::Progress;

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
    let progress = Progress::new();
    let mut matrix = KillMatrix::default();
    for network in networks {
        for scheme in MODELS {
            progress.step(format!("{network}, {scheme}"));
            let trial = Trial::new(&fixtures, network, scheme, GOLDEN, IMAGES, ISOLATED)?;
            matrix.add(&trial)?;
        }
    }
    drop(progress);
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
    properties: usize,
    bound: usize,
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
        row.properties += usize::from(!injection.properties.is_empty());
        row.bound += usize::from(injection.beyond_bound);
        row.beyond_one += usize::from(injection.beyond_one);
        row.classes += usize::from(injection.classes);
    }
    let columns = [
        "injected", "network", "layers", "directed", "laws", "bound", "±1", "classes", "unseen",
    ];
    let line = |first: &str, cells: [String; 9]| {
        let cells: String = cells.iter().map(|cell| format!("{cell:>9}")).collect();
        anstream::println!("{first:<36}{cells}");
    };
    line("mistake", columns.map(String::from));
    for (at, row) in &rows {
        let id = verify::mistakes::ALL
            .get(*at)
            .map_or("?", |mistake| mistake.id);
        let counts = [
            row.injected,
            row.network,
            row.layers,
            row.directed,
            row.properties,
            row.bound,
            row.beyond_one,
            row.classes,
            row.unseen,
        ];
        line(id, counts.map(|count| count.to_string()));
    }
    let sees = |check: fn(&Injection) -> bool| {
        matrix
            .injections
            .iter()
            .filter(|injection| check(injection))
            .count()
    };
    anstream::println!(
        "\n{} wrong networks: exact comparison sees all, the laws {}, the bound of the float \
         network {}, a comparison within ±1 {}, one of the classes {}.",
        matrix.injections.len(),
        sees(|injection| !injection.properties.is_empty()).bold(),
        sees(|injection| injection.beyond_bound).bold(),
        sees(|injection| injection.beyond_one).bold(),
        sees(|injection| injection.classes).bold(),
    );
    anstream::println!(
        "\nLaws that need no golden tensor, and how many wrong networks break them:\n"
    );
    for property in &PROPERTIES {
        let count = (matrix.injections.iter())
            .filter(|injection| injection.properties.contains(property.name))
            .count();
        anstream::println!("  {:<10}{count:>7}  {}", property.name, property.law);
    }
    anstream::println!();
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
