//! `cargo xtask bench`: how fast the kernels are, beside others on the same work.
//!
//! Every engine runs on the same core, a call of ours and one of each peer in turn, so that what
//! disturbs one disturbs all. What is compared is the ratio of a round; its median is printed.

mod agreement;
mod chain;
mod cores;
mod engines;
mod measure;
mod ours;
mod peer;
mod report;
mod statistics;
mod table;
mod workload;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;

use crate::exit::Exit;
use crate::files;
use engines::Engine;
use report::Report;
use workload::Spec;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Beside other engines, each in a process of its own. Makes a virtual environment (about
    /// 5 GB) and builds the engines that are not Python.
    #[arg(long)]
    peers: bool,
    /// Only this engine; may be repeated.
    #[arg(long, value_name = "NAME", requires = "peers")]
    engine: Vec<Engine>,
    /// Only this workload, or those whose names begin so; may be repeated.
    #[arg(long, value_name = "NAME")]
    workload: Vec<String>,
    /// How many rounds; each takes about 20 ms an engine.
    #[arg(long, value_name = "N", default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// Write everything that was measured, too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A Python that has the pinned packages, instead of the virtual environment.
    #[arg(long, value_name = "PATH", requires = "peers")]
    python: Option<PathBuf>,
}

/// Exit code 0: a figure is no claim.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let specs = selected(&arguments.workload)?;
    let engines = match (arguments.peers, arguments.engine.as_slice()) {
        (false, _) => Vec::new(),
        (true, []) => Engine::ALL.to_vec(),
        (true, named) => named.to_vec(),
    };
    let ready = engines::prepare(&engines, arguments.python.as_deref())?;
    let cores = cores::allowed()?;
    cores::bind(&cores, 1)?;
    let mut report = Report::new(arguments.rounds, ours::limit()?);
    for spec in &specs {
        anstream::eprintln!("{}", spec.name);
        let measured = measure::workload(spec, &ready, arguments.rounds, &cores, report.limit)?;
        report.workloads.push(measured);
    }
    anstream::println!("{}", table::markdown(&report));
    if let Some(path) = &arguments.json {
        let mut text = serde_json::to_string_pretty(&report)?;
        text.push('\n');
        files::replace(path, text.as_bytes())?;
    }
    Ok(Exit::Equal)
}

/// The workloads that were named, in the order of the list.
fn selected(named: &[String]) -> Result<Vec<Spec>> {
    let all = workload::all();
    for name in named {
        if !all.iter().any(|spec| spec.name.starts_with(name.as_str())) {
            let known: Vec<&str> = all.iter().map(|spec| spec.name.as_str()).collect();
            bail!(
                "there is no workload {name:?}; there are: {}",
                known.join(", ")
            );
        }
    }
    let wanted = |spec: &Spec| {
        named.is_empty() || (named.iter()).any(|name| spec.name.starts_with(name.as_str()))
    };
    Ok(all.into_iter().filter(wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_selects_and_a_wrong_name_lists_what_there_is() {
        let names = |named: &[&str]| {
            let named: Vec<String> = named.iter().map(|&name| name.to_owned()).collect();
            selected(&named)
                .map(|specs| specs.into_iter().map(|spec| spec.name).collect::<Vec<_>>())
        };
        assert_eq!(
            names(&["lenet5-mnist", "matmul-64"]).unwrap(),
            ["lenet5-mnist-b1", "lenet5-mnist-b64", "matmul-64"]
        );
        assert_eq!(names(&[]).unwrap().len(), workload::all().len());
        let error = names(&["lab", "resnet"]).unwrap_err().to_string();
        assert!(error.contains("\"resnet\"; there are: lab-b1, "), "{error}");
    }
}
