//! The front door: parse, match, call.

// Not forbidden: `library_host::library` alone calls into a C library, which has no other way.
#![deny(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

mod bench;
mod certify;
mod check_exports;
mod check_formula;
mod contracts;
mod convention;
mod derive;
mod directed;
mod doctor;
mod emit;
mod exit;
mod export;
mod exporter;
mod files;
mod identify;
mod kill_matrix;
mod library_host;
mod mistakes;
mod network;
mod nntool;
mod progress;
mod prove;
mod python;
mod regen_fixtures;
mod report;
mod tools;
mod verify;

use clap::{Parser, Subcommand};

/// Karat: a golden model for int8 neural networks that says which layer differs, and by
/// how much it may.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    arg_required_else_help = true
)]
#[command(
    after_help = "Exit codes: 0 equal or right, 1 mismatch or wrong, 2 usage or unusable input, 3 environment."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run every network and every case against PyTorch's numbers.
    Verify(verify::Arguments),
    /// Write a network's cases into a folder, for a tool under test to answer in.
    Emit(emit::Arguments),
    /// Write a network in the files that firmware and hardware tools read.
    Export(export::Arguments),
    /// Build, run or read every export with the tools that it is for.
    CheckExports(check_exports::Arguments),
    /// Say whether a formula cancels to the float equation, and if not, what is left over.
    CheckFormula(check_formula::Arguments),
    /// Derive O1q, Oiq and the bias scale line by line, for any depth or with a network's numbers.
    Derive(derive::Arguments),
    /// Name the contract that made these codes: which framework's arithmetic, bit for bit.
    Identify(identify::Arguments),
    /// Try every accumulator of int32: which contracts are equal on all of them, where others part.
    Certify(certify::Arguments),
    /// Show the few outputs that identify every contract, and how far random ones get.
    Directed(directed::Arguments),
    /// List every contract, and how often two of them differ.
    Contracts(contracts::Arguments),
    /// Measure ranges, schemes and bit widths; write a page.
    Report(report::Arguments),
    /// Look for a code outside its bound: random layers and networks, and an adversary.
    Prove(prove::Arguments),
    /// What GreenWaves' NNTool makes of a network, and how good it is.
    #[command(subcommand)]
    Nntool(nntool::Command),
    /// Make every known mistake in every network, and see which check notices.
    KillMatrix(kill_matrix::Arguments),
    /// List the mistakes that are known by name, or show one.
    Mistakes(mistakes::Arguments),
    /// Measure how fast the kernels are, alone or beside other engines.
    Bench(bench::Arguments),
    /// Export the fixtures from PyTorch anew, or check that they would be the same.
    RegenFixtures(regen_fixtures::Arguments),
    /// Say what this machine lacks for which verb, and how to get it.
    Doctor,
    /// Mutation testing of a crate: each survivor is a test that is missing.
    Mutants(tools::MutantsArguments),
    /// Fuzz the reader of npy files.
    Fuzz(tools::FuzzArguments),
    /// Answer the cases of a folder by a C library.
    #[command(name = ::verify::backend::LIBRARY_HOST, hide = true)]
    LibraryHost(library_host::Arguments),
}

fn main() -> std::process::ExitCode {
    let result = match Cli::parse().command {
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Emit(arguments) => emit::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::CheckExports(arguments) => check_exports::run(&arguments),
        Command::CheckFormula(arguments) => check_formula::run(&arguments),
        Command::Derive(arguments) => derive::run(&arguments),
        Command::Identify(arguments) => identify::run(&arguments),
        Command::Certify(arguments) => certify::run(&arguments),
        Command::Directed(arguments) => directed::run(&arguments),
        Command::Contracts(arguments) => contracts::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Prove(arguments) => prove::run(&arguments),
        Command::Nntool(command) => nntool::run(&command),
        Command::KillMatrix(arguments) => kill_matrix::run(&arguments),
        Command::Mistakes(arguments) => mistakes::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::RegenFixtures(arguments) => regen_fixtures::run(&arguments),
        Command::Doctor => doctor::run(),
        Command::Mutants(arguments) => tools::mutants(&arguments),
        Command::Fuzz(arguments) => tools::fuzz(&arguments),
        Command::LibraryHost(arguments) => library_host::run(&arguments),
    };
    exit::report(result)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
