//! Our side of a benchmark: what is timed, what is right, and what the core can do at most.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use kernels::conv2d::{Conv2dWeights, Scratch};
use kernels::executor::{Order, Session};
use kernels::layout::{Aligned, MapShape, SLACK};
use kernels::linear::LinearWeights;
use kernels::requantizer::{Channel, Requantizer, Stored};
use kernels::{Conv2d, Executor, Kernels, Linear};
use quant::formulas::output::oiq;
use quant::{QuantWeights, Rounding};
use reference::{Conv2dGeometry, Op, Tensor};

use super::workload::{Kind, Workload};

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

/// The workload's outputs: the golden interpreter's, not ours.
///
/// # Errors
/// The network has no weighted layer.
pub(crate) fn expected(workload: &Workload) -> Result<Expected> {
    let trace = workload.network.trace_codes(workload.input.clone())?;
    let mut layers = trace.layers.into_iter().rev().peekable();
    let codes = (layers.peek()).map(|last| last.codes.clone());
    Ok(Expected {
        codes: codes.context("a network without layers")?,
        accumulators: (layers.find_map(|layer| layer.accumulators))
            .context("a network without weights")?,
    })
}

/// Calls `body` with the workload ready to run, packed for the kernels of this CPU: a network on
/// input codes in memory; a layer on stored codes as the layers before and after it keep them.
///
/// # Errors
/// The network cannot be packed, its threads cannot be started, or `body` fails.
pub(crate) fn ready<T>(
    workload: &Workload,
    body: impl FnOnce(&mut dyn Run, &str) -> Result<T>,
) -> Result<T> {
    let kernels = kernels::dispatch::select()?;
    let isa = kernels.isa().name();
    match workload.spec.kind() {
        Kind::Network => {
            let executor = Executor::new(&workload.network, kernels)?;
            body(&mut Network::new(workload, &executor)?, isa)
        }
        Kind::Matmul => body(&mut Product::new(workload, kernels)?, isa),
        Kind::Conv2d | Kind::Depthwise => body(&mut Convolution::new(workload, kernels)?, isa),
    }
}

/// The executor on the whole batch, NHWC.
struct Network<'a> {
    executor: &'a Executor<'a>,
    sessions: Vec<Session<'a>>,
    input: Vec<i8>,
    output: Vec<i8>,
    pool: rayon::ThreadPool,
}

impl<'a> Network<'a> {
    fn new(workload: &Workload, executor: &'a Executor<'a>) -> Result<Self> {
        let shapes = workload.network.network().shapes();
        let classes: usize = shapes.last().map_or(0, |shape| shape[1..].iter().product());
        Ok(Self {
            executor,
            sessions: (0..workload.spec.threads)
                .map(|_| executor.session())
                .collect(),
            input: by_pixel(&workload.input),
            output: vec![0; workload.spec.batch * classes],
            // Threads stay on the cores of the one that starts them.
            pool: rayon::ThreadPoolBuilder::new()
                .num_threads(workload.spec.threads)
                .build()?,
        })
    }
}

impl Run for Network<'_> {
    fn run(&mut self, calls: usize) -> Duration {
        let Self {
            executor,
            sessions,
            input,
            output,
            pool,
        } = self;
        let mut all = || {
            let start = Instant::now();
            for _ in 0..calls {
                let input = std::hint::black_box(&input[..]);
                executor.run(sessions, input, Order::Nhwc, output);
                std::hint::black_box(&output);
            }
            start.elapsed()
        };
        match pool.current_num_threads() {
            1 => all(),
            _ => pool.install(all),
        }
    }
}

/// Rows of u8 codes times s8 weights to int32.
struct Product {
    linear: Linear,
    rows: usize,
    input: Vec<u8>,
    output: Vec<i32>,
}

impl Product {
    fn new(workload: &Workload, kernels: Kernels) -> Result<Self> {
        let weights = weights(workload)?;
        let [outputs, inputs] = weights.weight.shape() else {
            bail!("a matrix that is none");
        };
        let linear = Linear::new(
            kernels,
            &LinearWeights {
                shape: [*outputs, *inputs],
                code: &|o, i| weights.weight.item(o)[i],
                bias: None,
                input_zero: Stored::Signed.shift() as u8,
            },
        )?;
        let rows = workload.spec.batch;
        Ok(Self {
            linear,
            rows,
            input: stored(workload.input.data()).chain([0; SLACK]).collect(),
            output: vec![0; rows * outputs],
        })
    }
}

impl Run for Product {
    fn run(&mut self, calls: usize) -> Duration {
        let [_, inputs] = self.linear.shape();
        let start = Instant::now();
        for _ in 0..calls {
            let input = std::hint::black_box(&self.input[..]);
            (self.linear).accumulators(input, self.rows, inputs, &mut self.output);
            std::hint::black_box(&self.output);
        }
        start.elapsed()
    }
}

/// A convolution with its requantization and ReLU, from maps with the border that it wants.
struct Convolution {
    conv: Conv2d,
    requantizer: Requantizer,
    images: Vec<Aligned<u8>>,
    output: Aligned<u8>,
    output_shape: MapShape,
    scratch: Scratch,
}

impl Convolution {
    fn new(workload: &Workload, kernels: Kernels) -> Result<Self> {
        let weights = weights(workload)?;
        let geometry = geometry(workload)?;
        let [channels, height, width] = workload.network.network().input().shape;
        let shape = MapShape {
            height,
            width,
            channels,
            border: geometry.padding,
        };
        let zero = Stored::Signed.shift() as u8;
        let conv = Conv2d::new(
            kernels,
            &Conv2dWeights {
                shape: reference::geometry::rank("weight", weights.weight.shape())?,
                codes: weights.weight.data(),
                bias: weights.bias.as_deref(),
                input_zero: zero,
            },
            geometry,
            shape,
        )?;
        let [height, width, outputs] = conv.output();
        let output_shape = MapShape {
            height,
            width,
            channels: outputs,
            border: [0, 0],
        };
        let range = workload.network.accumulators().first();
        let bound = i32::try_from(range.context("a network without weights")?.bound)?;
        let scale = weights.output_scale;
        let channel = Channel {
            reach: -bound..=bound,
            slope: 1.0 / scale.wide(),
            code: &|acc| i32::from(oiq(acc, scale, Rounding::TiesToEven)),
        };
        // 0 to 127: with the ReLU.
        let requantizer = Requantizer::certify_alike(&channel, outputs, 0, Stored::Signed, 0..=127)
            .context("a scale without a certified multiplier")?;
        let requantizer = conv.arranged(requantizer);
        let codes = by_pixel(&workload.input);
        let row = shape.width * shape.channels;
        let images = (codes.chunks_exact(shape.codes()))
            .map(|image| {
                let mut maps = Aligned::filled(zero, shape.bytes() + SLACK);
                for (y, codes) in image.chunks_exact(row).enumerate() {
                    let to = &mut maps[shape.inside() + y * shape.pitch()..][..row];
                    to.iter_mut()
                        .zip(stored(codes))
                        .for_each(|(to, code)| *to = code);
                }
                maps
            })
            .collect();
        Ok(Self {
            conv,
            requantizer,
            images,
            output: Aligned::filled(0, output_shape.bytes()),
            output_shape,
            scratch: Scratch::default(),
        })
    }
}

impl Run for Convolution {
    fn run(&mut self, calls: usize) -> Duration {
        let Self {
            conv,
            requantizer,
            images,
            output,
            output_shape,
            scratch,
        } = self;
        let start = Instant::now();
        for _ in 0..calls {
            for image in images.iter() {
                let image = std::hint::black_box(&image[..]);
                conv.codes(image, requantizer, false, output, output_shape, scratch);
                std::hint::black_box(&output);
            }
        }
        start.elapsed()
    }
}

/// The only weighted layer.
fn weights(workload: &Workload) -> Result<&QuantWeights> {
    let mut weighted = workload.network.network().weighted();
    Ok(weighted.next().context("a network without weights")?.1)
}

fn geometry(workload: &Workload) -> Result<Conv2dGeometry> {
    let layers = workload.network.network().layers();
    (layers.iter())
        .find_map(|layer| match &layer.op {
            Op::Conv2d { geometry, .. } => Some(*geometry),
            _ => None,
        })
        .context("a network without a convolution")
}

/// s8 codes as the kernels store them.
fn stored(codes: &[i8]) -> impl Iterator<Item = u8> {
    codes.iter().map(|&code| code as u8 ^ 0x80)
}

/// NCHW to NHWC.
fn by_pixel(input: &Tensor<i8>) -> Vec<i8> {
    let channels = input.shape()[1];
    let pixels = input.item_len() / channels;
    (0..input.shape()[0])
        .flat_map(|n| {
            let image = input.item(n);
            (0..pixels * channels).map(move |at| image[at % channels * pixels + at / channels])
        })
        .collect()
}

/// int8 multiply-adds that this core can do at most, 10⁹ a second.
///
/// # Errors
/// `KARAT_ISA` cannot be followed.
pub(crate) fn limit() -> Result<f64> {
    Ok(kernels::dispatch::select()?.peak() / 1e9)
}
