//! `cargo xtask prove diagnosis`: are mistakes named, and nothing else?

use anyhow::{Result, bail};
use fixtures::Fixtures;
use owo_colors::OwoColorize;
use verify::backend::Trial;
use verify::diagnosis::rates::{Rates, THOROUGH, alone, pairs, strangers};
use verify::model::{GOLDEN, MODELS};

use crate::emit::ISOLATED;
use crate::exit::Exit;
use crate::progress::Progress;

/// Exit code 0 when no stranger was named, no layer wrongly blamed, and every mistake that can be
/// seen is among the names. Runs of which none was wrong show nothing, which is an error.
pub(super) fn run(cases: u64, seed: u64) -> Result<Exit> {
    let fixtures = Fixtures::open(Fixtures::committed_root())?;
    let trials = (fixtures::NETWORKS.len() * MODELS.len()) as u64;
    let progress = Progress::new();
    let (mut single, mut double) = (Rates::default(), Rates::default());
    let (mut runs, mut wrong, mut named) = (0, 0, Vec::new());
    // No two trials meet the same numbers.
    let mut seeds = seed..;
    for network in fixtures::NETWORKS {
        for scheme in MODELS {
            let seed = seeds.next().unwrap_or(seed);
            progress.step(format!("{network}, {scheme}"));
            let trial = Trial::new(&fixtures, network, scheme, GOLDEN, ISOLATED, ISOLATED)?;
            single = single.plus(alone(&trial, cases.div_ceil(5 * trials) as usize, seed)?);
            double = double.plus(pairs(&trial, cases.div_ceil(50 * trials) as usize, seed)?);
            let strange = strangers(&trial, cases.div_ceil(trials), seed)?;
            (runs, wrong) = (runs + strange.runs, wrong + strange.wrong);
            let names = strange.named.into_iter();
            named.extend(names.map(|(how, name)| (network, scheme, how, name)));
        }
    }
    drop(progress);
    anstream::println!(
        "{:<22}{:>9}{:>9}{:>14}{:>12}{:>11}",
        "mistakes made",
        "injected",
        "seen",
        "named first",
        "named",
        "misplaced"
    );
    for (what, rates) in [("alone", single), ("in pairs", double)] {
        let share = |count: usize| {
            let percent = 100.0 * count as f64 / rates.seen.max(1) as f64;
            format!("{percent:.2} %")
        };
        anstream::println!(
            "{what:<22}{:>9}{:>9}{:>14}{:>12}{:>11}",
            rates.injected,
            rates.seen,
            share(rates.first),
            share(rates.named),
            rates.misplaced
        );
    }
    anstream::println!(
        "\n{runs} runs, {wrong} of them wrong in ways that are not registered, the others right \
         (one in {THOROUGH} searched for pairs): {} were given a name.",
        named.len().bold()
    );
    for (network, scheme, how, name) in named.iter().take(20) {
        anstream::println!("  {network}, {scheme}, {how}: {name}");
    }
    if wrong == 0 {
        bail!("none of these runs was wrong, so that no name could be false; give more --cases");
    }
    let right = named.is_empty()
        && single.named == single.seen
        && single.misplaced == 0
        && double.misplaced == 0;
    Ok(match right {
        true => Exit::Equal,
        false => Exit::Mismatch,
    })
}
