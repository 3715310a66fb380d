//! One workload, round after round: a call of ours, one of each peer.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use super::agreement::Agreement;
use super::chain;
use super::cores;
use super::engines::{Engine, Ready};
use super::ours::{self, Expected, Run};
use super::peer::{Compares, Loaded, Peer};
use super::report::{Figures, Measured, Missing, Ours, Theirs};
use super::statistics::{ratios, spread};
use super::workload::Spec;

/// How long one engine runs in one round: long beside a timer and a change of process, short
/// beside what disturbs a machine.
const ROUND: Duration = Duration::from_millis(20);
/// How long an engine runs before it is timed: caches, clocks and what a library puts off.
const WARM_UP: Duration = Duration::from_millis(100);

/// Threads that wait for more work spin for some milliseconds, on the core of the next engine.
const SPINNING: Duration = Duration::from_millis(10);

/// A peer that computes the right thing.
struct Contender {
    engine: Engine,
    peer: Peer,
    loaded: Loaded,
    agreement: Agreement,
    calls: usize,
    /// Nanoseconds a call, one a round.
    times: Vec<f64>,
}

/// Measures a workload with all engines on the same cores.
///
/// # Errors
/// Our own side fails; of a peer that does, the reason is in the report.
pub(crate) fn workload(
    spec: &Spec,
    engines: &[Ready],
    rounds: u32,
    allowed: &[usize],
    limit: f64,
) -> Result<Measured> {
    let cores = cores::bind(allowed, spec.threads)?;
    let workload = spec.make()?;
    let mut missing = Vec::new();
    let folder = tempfile::tempdir().context("making a folder for the peers")?;
    let contenders = if spec.peers && !engines.is_empty() {
        chain::write(&workload, folder.path())?;
        let expected = ours::expected(&workload)?;
        start(engines, folder.path(), &expected, &mut missing)
    } else {
        Vec::new()
    };
    let macs = workload.macs();
    let limit = limit * spec.threads as f64;
    ours::ready(&workload, |run, isa| {
        let pause = if spec.threads > 1 {
            SPINNING
        } else {
            Duration::ZERO
        };
        let (times, contenders) = interleave(run, contenders, rounds, pause, &mut missing)?;
        let nanoseconds = spread(times.iter().copied()).context("no rounds")?;
        let theirs = contenders.into_iter().filter_map(|contender| {
            Some(Theirs {
                ratio: ratios(&times, &contender.times)?,
                figures: Figures::new(spread(contender.times)?, macs, limit),
                engine: contender.engine.name().to_owned(),
                version: contender.loaded.version,
                form: contender.loaded.form,
                outputs: contender.agreement.to_string(),
                agreement: contender.agreement,
            })
        });
        Ok(Measured {
            name: spec.name.clone(),
            kind: spec.kind(),
            batch: spec.batch,
            threads: spec.threads,
            cores,
            macs,
            ours: Ours {
                isa: isa.to_owned(),
                figures: Figures::new(nanoseconds, macs, limit),
            },
            peers: theirs.collect(),
            missing,
        })
    })
}

/// Starts the engines one after the other, so that none loads while another is timed.
fn start(
    engines: &[Ready],
    folder: &Path,
    expected: &Expected,
    missing: &mut Vec<Missing>,
) -> Vec<Contender> {
    let mut contenders = Vec::new();
    for ready in engines {
        match contender(ready, folder, expected) {
            Ok(contender) => contenders.push(contender),
            Err(error) => missing.push(named(ready.engine, &error)),
        }
    }
    contenders
}

fn contender(ready: &Ready, folder: &Path, expected: &Expected) -> Result<Contender> {
    let engine = ready.engine;
    let mut peer = ready.start(folder)?;
    let loaded = peer.load(folder)?;
    let path = folder.join(format!("{}.i32", engine.name()));
    let theirs = fs::read(&path).context("its outputs are not there")?;
    let theirs: Vec<i32> = (theirs.as_chunks().0.iter())
        .map(|&bytes| i32::from_le_bytes(bytes))
        .collect();
    let (ours, shape) = match loaded.compares {
        Compares::Codes => (
            expected
                .codes
                .data()
                .iter()
                .copied()
                .map(i32::from)
                .collect(),
            expected.codes.shape(),
        ),
        Compares::Accumulators => (
            expected.accumulators.data().to_vec(),
            expected.accumulators.shape(),
        ),
    };
    if loaded.shape != shape {
        return Err(anyhow!(
            "outputs of shape {:?} instead of {shape:?}",
            loaded.shape
        ));
    }
    let agreement = Agreement::new(&ours, &theirs, shape[0]).map_err(|reason| anyhow!(reason))?;
    let calls = settle(|calls| peer.run(calls))?;
    Ok(Contender {
        engine,
        peer,
        loaded,
        agreement,
        calls,
        times: Vec::new(),
    })
}

/// Our nanoseconds a call, one a round, and the peers that ran every round.
fn interleave(
    run: &mut dyn Run,
    mut contenders: Vec<Contender>,
    rounds: u32,
    pause: Duration,
    missing: &mut Vec<Missing>,
) -> Result<(Vec<f64>, Vec<Contender>)> {
    let calls = settle(|calls| Ok(run.run(calls)))?;
    let mut times = Vec::new();
    for _ in 0..rounds {
        thread::sleep(pause);
        times.push(per_call(run.run(calls), calls));
        let mut running = Vec::new();
        for mut contender in contenders {
            thread::sleep(pause);
            match contender.peer.run(contender.calls) {
                Ok(time) => {
                    contender.times.push(per_call(time, contender.calls));
                    running.push(contender);
                }
                Err(error) => missing.push(named(contender.engine, &error)),
            }
        }
        contenders = running;
    }
    Ok((times, contenders))
}

/// Warms up, and says how many calls make a round.
fn settle(mut run: impl FnMut(usize) -> Result<Duration>) -> Result<usize> {
    let (mut calls, mut spent) = (1, Duration::ZERO);
    loop {
        let time = run(calls)?;
        spent += time;
        let fitting = ROUND.as_secs_f64() / time.as_secs_f64().max(1e-9) * calls as f64;
        // One call may be slow for reasons of its own; a few more say what is usual.
        calls = (fitting as usize).clamp(1, calls * 10);
        if spent >= WARM_UP {
            return Ok(calls);
        }
    }
}

fn per_call(time: Duration, calls: usize) -> f64 {
    time.as_nanos() as f64 / calls as f64
}

fn named(engine: Engine, error: &anyhow::Error) -> Missing {
    let reason = format!("{error:#}");
    anstream::eprintln!("  {}: {reason}", engine.name());
    Missing {
        engine: engine.name().to_owned(),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_filled_with_calls_after_warming_up() {
        let mut spent = Duration::ZERO;
        let calls = settle(|calls| {
            let time = Duration::from_micros(10) * u32::try_from(calls)?;
            spent += time;
            Ok(time)
        });
        assert_eq!(calls.unwrap(), 2000);
        assert!(spent >= WARM_UP);
        let slow = settle(|calls| Ok(Duration::from_secs(1) * u32::try_from(calls)?));
        assert_eq!(slow.unwrap(), 1);
    }
}
