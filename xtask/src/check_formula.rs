//! `cargo xtask check-formula`: does what a person wrote cancel?

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use fixtures::{Fixtures, NetworkFixture};
use owo_colors::OwoColorize;
use quant::formulas::conventions::Convention;
use quant::symbolic::{Verdict, check};

use crate::exit::Exit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// An equation, ASCII or simple LaTeX: 'O2q = (W2q * O1q) / sO2'.
    formula: String,
    /// Hold it to one convention.
    #[arg(long, value_enum)]
    convention: Option<Name>,
    /// The network whose layer names may stand as subscripts.
    #[arg(long, value_name = "NAME", default_value = "lab")]
    network: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    Relative,
    Multiply,
    Absolute,
}

fn convention(name: Name) -> Convention {
    match name {
        Name::Relative => Convention::Relative,
        Name::Multiply => Convention::Multiply,
        Name::Absolute => Convention::Absolute,
    }
}

fn name(convention: Convention) -> &'static str {
    match convention {
        Convention::Relative => "relative",
        Convention::Multiply => "multiply",
        Convention::Absolute => "absolute",
    }
}

/// Exit code 0 right, 1 wrong, 2 not understood.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let layers = layers(&arguments.network)?;
    let verdict = match check(
        &arguments.formula,
        &layers,
        arguments.convention.map(convention),
    ) {
        Ok(verdict) => verdict,
        Err(error) => bail!("not understood\n{}", error.show(&arguments.formula)),
    };
    match verdict {
        Verdict::Right(conventions) => {
            let names: Vec<&str> = conventions.into_iter().map(name).collect();
            anstream::println!(
                "{} it cancels ({})",
                "right:".green().bold(),
                names.join(", ")
            );
            Ok(Exit::Equal)
        }
        Verdict::Wrong(wrong) => {
            let reading = name(wrong.convention);
            anstream::println!("{} it does not cancel ({reading})", "wrong:".red().bold());
            if let Some((letter, value)) = wrong.letter {
                anstream::println!("  for {letter} = {value}:");
            }
            if let Some(leftover) = wrong.leftover {
                anstream::println!("  left over on the {} side: {leftover}", wrong.side);
            }
            for reason in wrong.reasons {
                anstream::println!("  {reason}");
            }
            Ok(Exit::Mismatch)
        }
    }
}

/// The names of a network's weighted layers, first layer first.
fn layers(network: &str) -> Result<Vec<String>> {
    let known = fixtures::NETWORKS;
    if !known.contains(&network) {
        bail!(
            "there is no network {network:?}; there are: {}",
            known.join(", ")
        );
    }
    let fixture = NetworkFixture::load(&Fixtures::open(Fixtures::committed_root())?, network)?;
    Ok(fixture
        .network
        .weighted()
        .map(|(name, _)| name.to_owned())
        .collect())
}
