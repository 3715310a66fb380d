//! What the exit codes mean.

use std::process::ExitCode;

use owo_colors::OwoColorize;

/// How a command can end well or with a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything is equal.
    Equal,
    /// Something differs.
    Mismatch,
}

/// An error whose cause is this machine and not the input: exit code 3.
#[derive(Debug)]
pub(crate) struct Environment(pub(crate) String);

impl std::fmt::Display for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Environment {}

/// An [`Environment`] error.
pub(crate) fn environment(message: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Environment(message.into()))
}

/// An error and its causes, each said once: many errors already quote their cause.
fn message(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// Prints an error and chooses the exit code: 0 equal, 1 mismatch, 2 unusable input,
/// 3 environment.
pub(crate) fn report(result: anyhow::Result<Exit>) -> ExitCode {
    match result {
        Ok(Exit::Equal) => ExitCode::SUCCESS,
        Ok(Exit::Mismatch) => ExitCode::from(1),
        Err(error) => {
            anstream::eprintln!("{} {}", "error:".red().bold(), message(&error));
            ExitCode::from(if error.is::<Environment>() { 3 } else { 2 })
        }
    }
}
