//! One engine as a process that times itself: `peers-rust ENGINE`.
//!
//! The same protocol as `../peers/server.py`: a line in, a line of JSON out. The models are those
//! that `../peers/onnx_chain.py` wrote into the workload's folder.

mod model;
mod rten;
mod tract;

use std::fs;
use std::io::{Write, stdin, stdout};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use model::Model;

/// An engine with a model loaded.
trait Engine {
    /// What it runs.
    fn form(&self) -> String;
    /// One call; its outputs are thrown away.
    fn call(&mut self) -> Result<()>;
    /// One call; the shape of the output and its values, as they are.
    fn output(&mut self) -> Result<(Vec<usize>, Vec<i32>)>;
}

fn main() -> Result<()> {
    let name = std::env::args()
        .nth(1)
        .context("usage: peers-rust ENGINE")?;
    let mut engine = None;
    for line in stdin().lines() {
        let answer = answer(&name, &mut engine, &line?)
            .unwrap_or_else(|error| json!({ "error": format!("{error:#}") }));
        writeln!(stdout(), "{answer}")?;
    }
    Ok(())
}

fn answer(name: &str, engine: &mut Option<Box<dyn Engine>>, line: &str) -> Result<Value> {
    match line.split_once(' ') {
        Some(("load", folder)) => load(name, engine, Path::new(folder)),
        Some(("run", calls)) => {
            let engine = engine.as_mut().context("nothing is loaded")?;
            let calls: usize = calls.parse()?;
            let start = Instant::now();
            for _ in 0..calls {
                engine.call()?;
            }
            let nanoseconds = u64::try_from(start.elapsed().as_nanos())?;
            Ok(json!({ "nanoseconds": nanoseconds }))
        }
        _ => bail!("neither load nor run: {line}"),
    }
}

/// Loads the workload's model, and leaves its real codes or accumulators beside it.
fn load(name: &str, loaded: &mut Option<Box<dyn Engine>>, folder: &Path) -> Result<Value> {
    let model = Model::read(folder)?;
    let (mut engine, version): (Box<dyn Engine>, _) = match name {
        "rten" => (Box::new(rten::Engine::new(&model)?), rten::VERSION),
        "tract" => (Box::new(tract::Engine::new(&model)?), tract::VERSION),
        _ => bail!("no engine {name}"),
    };
    let (shape, values) = engine.output()?;
    let real = values.iter().map(|value| value - model.output_zero_point);
    let bytes: Vec<u8> = real.flat_map(i32::to_le_bytes).collect();
    fs::write(folder.join(format!("{name}.i32")), bytes)?;
    let answer = json!({
        "version": version,
        "form": engine.form(),
        "compares": model.compares,
        "shape": shape,
    });
    *loaded = Some(engine);
    Ok(answer)
}
