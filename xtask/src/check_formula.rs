//! `cargo xtask check-formula`: does what a person wrote cancel?

use anyhow::{Result, bail};
use clap::Args;
use owo_colors::OwoColorize;
use quant::formulas::conventions::Convention;
use quant::symbolic::{Verdict, check};

use crate::convention::ConventionName;
use crate::exit::Exit;
use crate::network;

const SYNTAX: &str = "\
Symbols, for layer i a number, i, j, k, n or a layer's name:
  I W1 O1 beta1        real tensors (In, Out and \\beta_1 too); O is taken before ReLU and pool
  Iq W1q O1q beta1q    their codes
  sI sW1 sO1 sbeta1    their scales (S too); nI nW1 nO1 are 1 over them
  zI zW1 zO1           zero points;  M1 the multiplier of layer 1
Subscripts in braces if you like: W_{1q}, s_{W_1}, s_{Out_{conv1}}, O_{i-1,q}.
Operations: * / + - ( ), \\cdot, \\times, \\frac{}{}, \\prod_{j=1}^{i}, |x|, max, min, round, clamp,
relu, pool. * between tensors is the layer's own operation; the last layer stands first.

Judged: scales, signs, zero points, the order of layers, where ReLU and pool stand, and that
round and clamp are applied to codes. Not judged: how halves are rounded.

Exit codes: 0 right, 1 wrong, 2 not understood.";

#[derive(Args)]
#[command(after_help = SYNTAX)]
pub(crate) struct Arguments {
    /// An equation, ASCII or simple LaTeX: 'O2q = (W2q * O1q) / sO2'.
    #[arg(allow_hyphen_values = true)]
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
        Verdict::Right(right) => {
            let names: Vec<&str> = (right.conventions.into_iter())
                .map(Convention::name)
                .collect();
            anstream::println!(
                "{} it cancels ({})",
                "right:".green().bold(),
                names.join(", ")
            );
            if !right.taken.is_empty() {
                anstream::println!("  taken as written: {}", right.taken.join("; "));
            }
            Ok(Exit::Equal)
        }
        Verdict::Wrong(wrong) => {
            let reading = wrong.convention.name();
            anstream::println!("{} it does not cancel ({reading})", "wrong:".red().bold());
            if let Some((letter, value)) = wrong.letter {
                anstream::println!("  for {letter} = {value}:");
            }
            if let Some(leftover) = wrong.leftover {
                let factor = match wrong.convention {
                    Convention::Multiply => leftover.in_inverses(),
                    Convention::Relative | Convention::Absolute => leftover.to_string(),
                };
                anstream::println!("  left over on the {} side: {factor}", wrong.side);
            }
            for reason in wrong.reasons {
                anstream::println!("  {reason}");
            }
            Ok(Exit::Mismatch)
        }
    }
}
