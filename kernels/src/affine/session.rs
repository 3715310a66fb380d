//! One thread's memory, and the steps run in it.

use quant::Rounding;

use super::finish::{Codes, Formula};
use super::form::Element;
use super::plan::{Kernel, Kind, Maps, Plan, Weighted};
use crate::algorithms::affine::{AffineJob, Finish, Quantize};
use crate::algorithms::{Pool, Simple};
use crate::conv2d::Scratch;
use crate::entry::Table;
use crate::layout::{MapShape, SLACK};

/// One thread's memory for one plan.
#[derive(Debug)]
pub(super) struct Session {
    /// For each of the plan's maps, its slots one behind the other; borders hold 0 for good.
    maps: Vec<Memory>,
    work: Work,
}

/// Codes as they are stored.
#[derive(Debug)]
enum Memory {
    Bytes(Vec<u8>),
    Words(Vec<i16>),
}

/// What layers work in.
#[derive(Debug, Default)]
struct Work {
    scratch: Scratch,
    /// Bytes as words.
    words: Vec<i16>,
    /// Sums: of each part, one behind the other.
    sums: Vec<i32>,
    narrow: Vec<i32>,
    wide: Vec<f64>,
}

impl Session {
    pub(super) fn new(plan: &Plan) -> Self {
        let memory = |maps: &Maps| {
            let len = maps.slots * maps.shape.bytes() + SLACK;
            let zero = maps.form.zero();
            match maps.form.element {
                Element::Byte => Memory::Bytes(vec![zero as u8; len]),
                Element::Word => Memory::Words(vec![zero as i16; len]),
            }
        };
        Self {
            maps: plan.maps.iter().map(memory).collect(),
            work: Work::default(),
        }
    }

    /// The scores of at most a block of images.
    pub(super) fn run(&mut self, plan: &Plan, images: &[f32], scores: &mut [f32]) {
        let [input, output] = plan.lengths();
        let count = images.len() / input;
        for (slot, image) in images.chunks_exact(input).enumerate() {
            self.load(plan, image, slot);
            for step in 0..plan.image_steps() {
                self.step(plan, step, slot, 1);
            }
        }
        for step in plan.image_steps()..plan.steps.len() {
            self.step(plan, step, 0, count);
        }
        for (slot, scores) in scores.chunks_exact_mut(output).enumerate() {
            self.unload(plan, slot, scores);
        }
    }

    /// Stores an image's codes as the first maps.
    fn load(&mut self, plan: &Plan, image: &[f32], slot: usize) {
        let Maps { shape, form, slots } = plan.maps[0];
        let [low, high] = form.params.reach();
        // Of 17 bits at most: exact.
        let ends = [low as f32, high as f32];
        let (scale, of_nan) = (form.params.scale.get(), -form.params.zero_point as f32);
        let zero = form.zero();
        let from = slot % slots * shape.bytes();
        let job = match &mut self.maps[0] {
            Memory::Bytes(to) => AffineJob::QuantizeBytes(Quantize {
                image,
                scale,
                ends,
                of_nan,
                zero,
                shape,
                to: &mut to[from..],
            }),
            Memory::Words(to) => AffineJob::QuantizeWords(Quantize {
                image,
                scale,
                ends,
                of_nan,
                zero,
                shape,
                to: &mut to[from..],
            }),
        };
        run(&plan.table, job);
    }

    /// An image's codes less their zero point, CHW.
    fn unload(&self, plan: &Plan, slot: usize, scores: &mut [f32]) {
        let last = plan.maps.len() - 1;
        let Maps { shape, form, .. } = plan.maps[last];
        let mut scores = scores.iter_mut();
        for c in 0..shape.channels {
            for y in 0..shape.height {
                for x in 0..shape.width {
                    let at = slot * shape.bytes() + shape.inside();
                    let at = at + y * shape.pitch() + x * shape.channels + c;
                    let code = match &self.maps[last] {
                        Memory::Bytes(codes) => i32::from(codes[at]),
                        Memory::Words(codes) => i32::from(codes[at]),
                    };
                    // Of 17 bits at most: exact.
                    if let Some(score) = scores.next() {
                        *score = (code - form.zero()) as f32;
                    }
                }
            }
        }
    }

    /// One step on the images of some slots.
    fn step(&mut self, plan: &Plan, index: usize, slot: usize, images: usize) {
        let step = &plan.steps[index];
        let [read, write] = step.maps;
        let [from, to] = [plan.maps[read], plan.maps[write]];
        let first = |maps: Maps| slot % maps.slots * maps.shape.bytes();
        let [first_in, first_out] = [first(from), first(to)];
        if read == write {
            if matches!(step.kind, Kind::Relu) {
                let codes = first_in..first_in + images * from.shape.bytes();
                at_least(&plan.table, &mut self.maps[read], codes, from.form.zero());
            }
            return;
        }
        let (before, after) = self.maps.split_at_mut(write);
        let (input, output) = (&before[read], &mut after[0]);
        match &step.kind {
            Kind::Weighted(layer) => {
                // A linear layer takes all rows of features at once.
                let [times, rows] = match layer.linear {
                    true => [1, images],
                    false => [images, 1],
                };
                for image in 0..times {
                    let at = [
                        first_in + image * from.shape.bytes(),
                        first_out + image * to.shape.bytes(),
                    ];
                    let job = Job {
                        table: &plan.table,
                        layer,
                        shapes: [from.shape, to.shape],
                        rows,
                    };
                    job.run(input, output, at, &mut self.work);
                }
            }
            Kind::MaxPool(geometry) => {
                let windows = geometry.windows();
                pool(
                    &plan.table,
                    [from, to],
                    [first_in, first_out],
                    input,
                    output,
                    windows,
                    None,
                );
            }
            Kind::AveragePool(geometry) => {
                let windows = geometry.window.windows();
                let mean = Some(geometry.count_include_pad);
                pool(
                    &plan.table,
                    [from, to],
                    [first_in, first_out],
                    input,
                    output,
                    windows,
                    mean,
                );
            }
            Kind::Relu | Kind::Flatten => {}
        }
    }
}

/// A weighted layer on one image, or some rows of features.
struct Job<'a> {
    table: &'a Table,
    layer: &'a Weighted,
    shapes: [MapShape; 2],
    rows: usize,
}

impl Job<'_> {
    /// From and to these places on.
    fn run(&self, input: &Memory, output: &mut Memory, [from, to]: [usize; 2], work: &mut Work) {
        let Self {
            table,
            layer,
            shapes: [shape, to_shape],
            rows,
        } = self;
        let [height, width, channels] = layer.sums;
        let bytes: &[u8] = match input {
            Memory::Bytes(codes) => &codes[from..],
            Memory::Words(_) => &[],
        };
        // What a layer of words reads.
        let words: &[i16] = match (&layer.kernel, input) {
            (_, Memory::Words(codes)) => &codes[from..],
            (Kernel::Words(_), Memory::Bytes(codes)) => {
                let len = rows * shape.bytes();
                if work.words.len() < len + SLACK {
                    work.words.resize(len + SLACK, 0);
                }
                let to = &mut work.words[..len];
                let from = &codes[from..][..len];
                run(table, AffineJob::Widen { from, to });
                &work.words
            }
            _ => &[],
        };
        let windows = match layer.linear {
            true => [1, *rows],
            false => [height, width],
        };
        let requantizer = match (&layer.codes, &mut *output) {
            (Codes::Certified(requantizer), Memory::Bytes(codes)) => {
                Some((requantizer, &mut codes[to..]))
            }
            _ => None,
        };
        if let Some((requantizer, codes)) = requantizer {
            let pooled = layer.pooled;
            let pitches = [shape.bytes(), to_shape.bytes()];
            match &layer.kernel {
                Kernel::Conv2d(conv) => {
                    let scratch = &mut work.scratch;
                    conv.codes(bytes, requantizer, pooled, codes, to_shape, scratch);
                }
                Kernel::Linear(linear) => {
                    linear.codes(bytes, *rows, pitches[0], requantizer, codes, pitches[1]);
                }
                Kernel::Words(layer) => {
                    let step = [to_shape.pitch(), channels];
                    let codes = &mut codes[to_shape.inside()..];
                    layer.codes(words, windows, requantizer, pooled, codes, step);
                }
            }
            return;
        }
        let Codes::Formula(formula) = &layer.codes else {
            return;
        };
        let len = windows[0] * windows[1] * channels;
        let parts = match &layer.kernel {
            Kernel::Words(words) => words.parts(),
            _ => 1,
        };
        let row = match layer.linear {
            true => channels,
            false => width * channels,
        };
        grow(&mut work.sums, parts * len);
        grow(&mut work.narrow, row);
        grow(&mut work.wide, 3 * row);
        let sums = &mut work.sums[..parts * len];
        match &layer.kernel {
            Kernel::Conv2d(conv) => conv.accumulators(bytes, sums, &mut work.scratch),
            Kernel::Linear(linear) => linear.accumulators(bytes, *rows, shape.bytes(), sums),
            Kernel::Words(layer) => {
                for (part, sums) in sums.chunks_exact_mut(len).enumerate() {
                    layer.sums(part, words, windows, sums);
                }
            }
        }
        let made = Made {
            sums: &work.sums[..parts * len],
            len,
            row,
            channels,
            pooled: layer.pooled,
            pitch: if layer.linear {
                to_shape.bytes()
            } else {
                to_shape.pitch()
            },
            rows: if layer.linear { *rows } else { to_shape.height },
        };
        let at = to + to_shape.inside();
        let job = match output {
            Memory::Bytes(codes) => AffineJob::FinishBytes(made.finish(
                formula,
                &mut codes[at..],
                &mut work.narrow,
                &mut work.wide,
            )),
            Memory::Words(codes) => AffineJob::FinishWords(made.finish(
                formula,
                &mut codes[at..],
                &mut work.narrow,
                &mut work.wide,
            )),
        };
        run(table, job);
    }
}

/// Sums of a layer.
struct Made<'a> {
    sums: &'a [i32],
    /// Of one part.
    len: usize,
    row: usize,
    channels: usize,
    pooled: bool,
    pitch: usize,
    rows: usize,
}

impl<'a> Made<'a> {
    fn finish<C>(
        self,
        formula: &'a Formula,
        to: &'a mut [C],
        narrow: &'a mut [i32],
        wide: &'a mut [f64],
    ) -> Finish<'a, C> {
        Finish {
            sums: self.sums,
            part: self.len,
            digit: formula.digit,
            multipliers: &formula.multipliers,
            constants: &formula.constants,
            ends: formula.ends,
            zero: formula.zero,
            channels: self.channels,
            row: self.row,
            pooled: self.pooled,
            to,
            pitch: self.pitch,
            rows: self.rows,
            narrow,
            wide,
        }
    }
}

fn grow<T: Copy + Default>(buffer: &mut Vec<T>, len: usize) {
    if buffer.len() < len {
        buffer.resize(len, T::default());
    }
}

fn run(table: &Table, job: AffineJob<'_>) {
    simple(table, Simple::Affine(job));
}

fn simple(table: &Table, job: Simple<'_>) {
    // SAFETY: the table is this CPU's.
    unsafe { (table.simple)(job) }
}

fn at_least(table: &Table, memory: &mut Memory, codes: std::ops::Range<usize>, zero: i32) {
    match memory {
        Memory::Bytes(all) => simple(
            table,
            Simple::AtLeast {
                codes: &mut all[codes],
                // A stored code.
                least: zero as u8,
            },
        ),
        Memory::Words(all) => run(
            table,
            AffineJob::AtLeast {
                codes: &mut all[codes],
                least: zero as i16,
            },
        ),
    }
}

/// The largest of each window, or the mean: `Some` says whether padding counts.
fn pool(
    table: &Table,
    [from, to]: [Maps; 2],
    [first_in, first_out]: [usize; 2],
    input: &Memory,
    output: &mut Memory,
    windows: [reference::Window; 2],
    mean: Option<bool>,
) {
    let zero = from.form.zero();
    match (input, output) {
        (Memory::Bytes(input), Memory::Bytes(output)) => {
            let pool = Pool {
                input: &input[first_in..],
                shape: from.shape,
                windows,
                output: &mut output[first_out..],
                output_shape: to.shape,
            };
            let job = match mean {
                None => Simple::MaxPool(pool),
                Some(count_include_pad) => Simple::AveragePool {
                    pool,
                    count_include_pad,
                    rounding: Rounding::TiesToEven,
                    zero,
                },
            };
            simple(table, job);
        }
        (Memory::Words(input), Memory::Words(output)) => {
            let pool = Pool {
                input: &input[first_in..],
                shape: from.shape,
                windows,
                output: &mut output[first_out..],
                output_shape: to.shape,
            };
            let job = match mean {
                None => AffineJob::MaxPool(pool),
                Some(count_include_pad) => AffineJob::AveragePool {
                    pool,
                    count_include_pad,
                    zero,
                },
            };
            run(table, job);
        }
        // A pool's input and output have the same codes.
        _ => {}
    }
}
