//! `cargo xtask check-exports`: every export, built, run or read by the tools that it is for.
//!
//! A check is a file below this one and a line of [`CHECKS`]: it exports to a folder that is its
//! own, lets the tool work on it, and compares what the tool says with the model. It also damages
//! what it wrote and demands that the tool then disagrees: a check that cannot fail is none.

mod c;
mod check;
mod cortex_m;
mod numpy;
mod scratch;
mod verilog;

use anyhow::{Result, bail};
use clap::Args;
use owo_colors::OwoColorize;

use crate::exit::{Environment, Exit, environment};
use check::{CHECKS, Check, Need, Verdict};
use scratch::Scratch;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Only this check; without it, all.
    #[arg(long, value_name = "NAME", value_parser = check)]
    only: Option<&'static Check>,
}

fn check(name: &str) -> Result<&'static Check, String> {
    CHECKS
        .iter()
        .find(|check| check.name == name)
        .ok_or_else(|| {
            let names: Vec<String> = (CHECKS.iter())
                .map(|check| format!("  {}: {}", check.name, check.what))
                .collect();
            format!(
                "there is no check {name:?}; there are:\n{}",
                names.join("\n")
            )
        })
}

/// A line for each check; exit code 1 if one differs, else 3 if one could not run.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let width = CHECKS
        .iter()
        .map(|check| check.name.len())
        .max()
        .unwrap_or(0);
    let (mut differs, mut missing) = (0, 0);
    for check in CHECKS
        .iter()
        .filter(|check| (arguments.only).is_none_or(|only| only.name == check.name))
    {
        let name = format!("{:width$}", check.name);
        match outcome(check) {
            Ok(Verdict::Equal(what)) => anstream::println!("{} {name} {what}", "equal  ".green()),
            Ok(Verdict::Differs(what)) => {
                differs += 1;
                anstream::println!("{} {name} {what}", "DIFFERS".red());
            }
            Err(error) if error.is::<Environment>() => {
                missing += 1;
                anstream::println!("{} {name} {error}", "missing".yellow());
            }
            Err(error) => bail!("check {}: {error:#}", check.name),
        }
    }
    match (differs, missing) {
        (0, 0) => Ok(Exit::Equal),
        (0, _) => Err(environment(format!(
            "{missing} of the checks could not run here"
        ))),
        _ => Ok(Exit::Mismatch),
    }
}

/// Every program that a check calls: where it is, or how to get it.
pub(crate) fn needs() -> Vec<(&'static str, std::result::Result<String, String>)> {
    let mut programs: Vec<&Need> = CHECKS.iter().flat_map(|check| check.needs).collect();
    programs.sort_by_key(|need| need.program);
    programs.dedup_by_key(|need| need.program);
    let found = |need: &&Need| match need.check() {
        Ok(place) => Ok(place.display().to_string()),
        Err(_) => Err(need.get.to_owned()),
    };
    (programs.iter())
        .map(|need| (need.program, found(need)))
        .collect()
}

fn outcome(check: &Check) -> Result<Verdict> {
    for need in check.needs {
        need.check()?;
    }
    let scratch = Scratch::new()?;
    scratch.step(check.what);
    (check.run)(&scratch)
}
