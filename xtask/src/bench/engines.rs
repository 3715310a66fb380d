//! The peers: what each needs, and how it is started.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use clap::ValueEnum;

use super::peer::Peer;
use crate::exit::environment;
use crate::python;

/// Somebody else's engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// PyTorch, its engine x86.
    Torch,
    /// ONNX Runtime, its CPU provider.
    Onnxruntime,
    /// LiteRT with XNNPACK.
    Litert,
    /// OpenVINO's CPU plugin.
    Openvino,
    /// oneDNN's primitives.
    Onednn,
    /// rten, in Rust.
    Rten,
    /// tract, in Rust.
    Tract,
}

impl Engine {
    /// In the order of the tables.
    pub(crate) const ALL: [Self; 7] = [
        Self::Torch,
        Self::Onnxruntime,
        Self::Litert,
        Self::Openvino,
        Self::Onednn,
        Self::Rten,
        Self::Tract,
    ];

    /// As on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Torch => "torch",
            Self::Onnxruntime => "onnxruntime",
            Self::Litert => "litert",
            Self::Openvino => "openvino",
            Self::Onednn => "onednn",
            Self::Rten => "rten",
            Self::Tract => "tract",
        }
    }

    /// Whether it is in Rust, and reads a model that Python wrote.
    fn is_rust(self) -> bool {
        matches!(self, Self::Rten | Self::Tract)
    }
}

/// An engine that can be started, or why not.
pub(crate) struct Ready {
    /// Which.
    pub(crate) engine: Engine,
    how: Result<How, String>,
}

enum How {
    Python(PathBuf),
    Rust { python: PathBuf, program: PathBuf },
}

/// Makes the environment and builds what must be built.
///
/// # Errors
/// There is no Python with the packages.
pub(crate) fn prepare(engines: &[Engine], python: Option<&Path>) -> Result<Vec<Ready>> {
    if engines.is_empty() {
        return Ok(Vec::new());
    }
    let python = python::python_with_peers(python)?;
    let program = if engines.iter().any(|engine| engine.is_rust()) {
        build().map_err(|error| error.to_string())
    } else {
        Err("was not built".to_owned())
    };
    let how = |engine: Engine| {
        let python = python.clone();
        if engine.is_rust() {
            program.clone().map(|program| How::Rust { python, program })
        } else {
            Ok(How::Python(python))
        }
    };
    Ok((engines.iter())
        .map(|&engine| Ready {
            engine,
            how: how(engine),
        })
        .collect())
}

/// The server of the engines in Rust. They are no part of the workspace: nobody who builds Karat
/// should build them.
fn build() -> Result<PathBuf> {
    let folder = python::root().join("kernels/benches/peers-rust");
    let target = python::root().join("target/peers-rust");
    anstream::eprintln!("building the engines in Rust");
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--quiet", "--release", "--locked"])
        .arg("--manifest-path")
        .arg(folder.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target);
    python::call(&mut cargo)?;
    Ok(target
        .join("release")
        .join(format!("peers-rust{}", std::env::consts::EXE_SUFFIX)))
}

impl Ready {
    /// A process for the workload in this folder.
    ///
    /// # Errors
    /// The engine is not there, or its model cannot be made.
    pub(crate) fn start(&self, folder: &Path) -> Result<Peer> {
        let name = self.engine.name();
        let mut command = match self
            .how
            .as_ref()
            .map_err(|reason| environment(reason.as_str()))?
        {
            How::Rust { python, program } => {
                python::call(script(python, "onnx_chain.py").arg(folder))?;
                Command::new(program)
            }
            How::Python(python) => {
                let mut command = script(python, "server.py");
                // What is compiled for this machine is kept here.
                command.env("KARAT_PEERS_BUILD", python::root().join("target/peers"));
                command
            }
        };
        Peer::start(command.arg(name), folder.join(format!("{name}.log")))
    }
}

/// A script of the peers, to be run with this Python.
fn script(python: &Path, name: &str) -> Command {
    let mut command = Command::new(python);
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(python::root().join("kernels/benches/peers").join(name));
    command
}
