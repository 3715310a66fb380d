//! `cargo xtask check-formula`: does what a person wrote cancel?

use anyhow::{Result, bail};
use clap::Args;
use owo_colors::OwoColorize;
use quant::formulas::conventions::Convention;
use quant::symbolic::{Verdict, check};

use crate::convention::ConventionName;
use crate::exit::Exit;
use crate::network;

#[derive(Args)]
pub(crate) struct Arguments {
    /// An equation, ASCII or simple LaTeX: 'O2q = (W2q * O1q) / sO2'.
    formula: String,
    /// Hold it to one convention.
    #[arg(long, value_enum)]
    convention: Option<ConventionName>,
    /// The network whose layer names may stand as subscripts.
    #[arg(long, value_name = "NAME", default_value = "lab")]
    network: String,
}

/// Exit code 0 right, 1 wrong, 2 not understood.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let layers: Vec<String> = (network::load(&arguments.network)?.network.weighted())
        .map(|(name, _)| name.to_owned())
        .collect();
    let verdict = match check(
        &arguments.formula,
        &layers,
        arguments.convention.map(Into::into),
    ) {
        Ok(verdict) => verdict,
        Err(error) => bail!("not understood\n{}", error.show(&arguments.formula)),
    };
    match verdict {
        Verdict::Right(conventions) => {
            let names: Vec<&str> = conventions.into_iter().map(Convention::name).collect();
            anstream::println!(
                "{} it cancels ({})",
                "right:".green().bold(),
                names.join(", ")
            );
            Ok(Exit::Equal)
        }
        Verdict::Wrong(wrong) => {
            let reading = wrong.convention.name();
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
