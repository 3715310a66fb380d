//! Our side of a benchmark: what is timed, what is right, and what the core can do at most.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use kernels::Executor;
use reference::Tensor;

use super::workload::Workload;

/// Something that can be called again and again.
pub(crate) trait Run {
    /// How long this many calls take.
    fn run(&mut self, calls: usize) -> Duration;
}

/// What every engine should compute.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// The last layer's codes, NCHW.
    pub(crate) codes: Tensor<i8>,
    /// The last weighted layer's accumulators, before any ReLU.
    pub(crate) accumulators: Tensor<i32>,
}

/// The workload's outputs.
///
/// # Errors
/// The network cannot be packed.
pub(crate) fn expected(workload: &Workload) -> Result<Expected> {
    let kernels = kernels::dispatch::select()?;
    let trace = Executor::new(&workload.network, kernels)?.trace_codes(workload.input.clone())?;
    let mut layers = trace.layers.into_iter().rev().peekable();
    let codes = (layers.peek()).map(|last| last.codes.clone());
    Ok(Expected {
        codes: codes.context("a network without layers")?,
        accumulators: (layers.find_map(|layer| layer.accumulators))
            .context("a network without weights")?,
    })
}

/// Calls `body` with the workload ready to run, packed for the kernels of this CPU.
///
/// # Errors
/// The network cannot be packed, its threads cannot be started, or `body` fails.
pub(crate) fn ready<T>(
    workload: &Workload,
    body: impl FnOnce(&mut dyn Run, &str) -> Result<T>,
) -> Result<T> {
    let kernels = kernels::dispatch::select()?;
    let scale = workload.network.input_scale().get();
    let mut executed = Executed {
        executor: Executor::new(&workload.network, kernels)?,
        images: workload.input.map(|code| f32::from(code) * scale),
        // Threads stay on the cores of the one that starts them.
        pool: rayon::ThreadPoolBuilder::new()
            .num_threads(workload.spec.threads)
            .build()?,
    };
    body(&mut executed, kernels.isa.name())
}

/// The executor on the whole batch.
struct Executed<'a> {
    executor: Executor<'a>,
    images: Tensor<f32>,
    pool: rayon::ThreadPool,
}

impl Run for Executed<'_> {
    fn run(&mut self, calls: usize) -> Duration {
        let Self {
            executor, images, ..
        } = self;
        self.pool.install(|| {
            let start = Instant::now();
            for _ in 0..calls {
                std::hint::black_box(executor.forward(std::hint::black_box(images)).is_ok());
            }
            start.elapsed()
        })
    }
}

/// int8 multiply-adds that this core can do at most, 10⁹ a second, where it is known.
pub(crate) fn limit() -> Option<f64> {
    None
}
