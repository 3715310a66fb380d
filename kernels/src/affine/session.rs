//! One thread's memory, and the steps run in it.

use quant::Rounding;
use reference::Window;

use super::finish::{Codes, Formula};
use super::form::Element;
use super::plan::{Kernel, Kind, Maps, Plan, Weighted};
use crate::algorithms::affine::{Finish, Quantize};
use crate::algorithms::{Code, OfCodes, Pool, Simple};
use crate::entry::Table;
use crate::layout::{Aligned, SLACK};
use crate::requantizer::Requantizer;
use crate::scratch::{Scratch, grow};

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
    Bytes(Aligned<u8>),
    Words(Aligned<i16>),
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
                Element::Byte => Memory::Bytes(Aligned::filled(Code::of(zero), len)),
                Element::Word => Memory::Words(Aligned::filled(Code::of(zero), len)),
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
            let first = plan.maps[0];
            let at = first.at(slot);
            match &mut self.maps[0] {
                Memory::Bytes(to) => load(&plan.table, first, image, &mut to[at..]),
                Memory::Words(to) => load(&plan.table, first, image, &mut to[at..]),
            }
            for step in 0..plan.image_steps() {
                self.step(plan, step, slot, 1);
            }
        }
        for step in plan.image_steps()..plan.steps.len() {
            self.step(plan, step, 0, count);
        }
        let last = plan.maps.len() - 1;
        let maps = plan.maps[last];
        for (slot, scores) in scores.chunks_exact_mut(output).enumerate() {
            match &self.maps[last] {
                Memory::Bytes(from) => unload(maps, &from[maps.at(slot)..], scores),
                Memory::Words(from) => unload(maps, &from[maps.at(slot)..], scores),
            }
        }
    }

    /// One step on the images of some slots.
    fn step(&mut self, plan: &Plan, index: usize, slot: usize, images: usize) {
        let table = &plan.table;
        let step = &plan.steps[index];
        let [read, write] = step.maps;
        let maps = [plan.maps[read], plan.maps[write]];
        let at = maps.map(|maps| maps.at(slot));
        match &step.kind {
            Kind::Flatten => {}
            Kind::Relu => {
                let [from, _] = maps;
                let codes = at[0]..at[0] + images * from.shape.bytes();
                match &mut self.maps[read] {
                    Memory::Bytes(all) => at_least(table, &mut all[codes], from.form.zero()),
                    Memory::Words(all) => at_least(table, &mut all[codes], from.form.zero()),
                }
            }
            Kind::Pool { windows, mean } => {
                let pool = Pooling {
                    maps,
                    windows: *windows,
                    mean: *mean,
                };
                match between(&mut self.maps, step.maps) {
                    (Memory::Bytes(from), Memory::Bytes(to)) => {
                        pool.run(table, &from[at[0]..], &mut to[at[1]..]);
                    }
                    (Memory::Words(from), Memory::Words(to)) => {
                        pool.run(table, &from[at[0]..], &mut to[at[1]..]);
                    }
                    _ => unreachable!("a pool's outputs are codes of its input's grid"),
                }
            }
            Kind::Weighted(layer) => {
                let (input, output) = between(&mut self.maps, step.maps);
                let job = Job {
                    table,
                    layer,
                    maps,
                    rows: images,
                };
                job.run(input, output, at, &mut self.work);
            }
        }
    }
}

/// What a step reads, and what it writes behind it.
fn between(maps: &mut [Memory], [read, write]: [usize; 2]) -> (&Memory, &mut Memory) {
    let (before, after) = maps.split_at_mut(write);
    (&before[read], &mut after[0])
}

/// Stores an image's codes.
fn load<C: Code>(table: &Table, maps: Maps, image: &[f32], to: &mut [C]) {
    let form = maps.form;
    let [low, high] = form.params.reach();
    let job = Quantize {
        image,
        scale: form.params.scale.get(),
        // Of 17 bits at most: exact.
        ends: [low as f32, high as f32],
        of_nan: -form.params.zero_point as f32,
        zero: form.zero(),
        shape: maps.shape,
        to,
    };
    table.simple(C::job(OfCodes::Quantize(job)));
}

/// An image's codes less their zero point, CHW.
fn unload<C: Code>(maps: Maps, codes: &[C], scores: &mut [f32]) {
    let shape = maps.shape;
    let zero = i64::from(maps.form.zero());
    for (row, scores) in scores.chunks_exact_mut(shape.width).enumerate() {
        let [c, y] = [row / shape.height, row % shape.height];
        let codes = codes[shape.inside() + y * shape.pitch() + c..].iter();
        for (score, &code) in scores.iter_mut().zip(codes.step_by(shape.channels)) {
            // Of 17 bits at most: exact.
            *score = (code.wide() - zero) as f32;
        }
    }
}

fn at_least<C: Code>(table: &Table, codes: &mut [C], zero: i32) {
    let least = C::of(zero);
    table.simple(C::job(OfCodes::AtLeast { codes, least }));
}

/// A pool by itself.
struct Pooling {
    maps: [Maps; 2],
    windows: [Window; 2],
    mean: Option<bool>,
}

impl Pooling {
    fn run<C: Code>(&self, table: &Table, input: &[C], output: &mut [C]) {
        let [from, to] = self.maps;
        let pool = Pool {
            input,
            shape: from.shape,
            windows: self.windows,
            output,
            output_shape: to.shape,
        };
        let job = match self.mean {
            None => OfCodes::MaxPool(pool),
            Some(count_include_pad) => OfCodes::AveragePool {
                pool,
                count_include_pad,
                rounding: Rounding::TiesToEven,
                zero: from.form.zero(),
            },
        };
        table.simple(C::job(job));
    }
}

/// A convolution on one image, or a linear layer on some rows of features.
struct Job<'a> {
    table: &'a Table,
    layer: &'a Weighted,
    maps: [Maps; 2],
    rows: usize,
}

impl Job<'_> {
    /// From and to these places on.
    fn run(&self, input: &Memory, output: &mut Memory, [from, to]: [usize; 2], work: &mut Work) {
        match (&self.layer.codes, output) {
            (Codes::Certified(requantizer), Memory::Bytes(codes)) => {
                self.codes(requantizer, input, from, &mut codes[to..], work);
            }
            (Codes::Certified(_), Memory::Words(_)) => {
                unreachable!("constants are certified for bytes only")
            }
            (Codes::Formula(formula), output) => {
                self.sums(input, from, work);
                let to = to + self.maps[1].shape.inside();
                match output {
                    Memory::Bytes(codes) => self.finish(formula, &mut codes[to..], work),
                    Memory::Words(codes) => self.finish(formula, &mut codes[to..], work),
                }
            }
        }
    }

    /// Codes in the kernel.
    fn codes(
        &self,
        requantizer: &Requantizer,
        input: &Memory,
        from: usize,
        codes: &mut [u8],
        work: &mut Work,
    ) {
        let [shape, to] = self.maps.map(|maps| maps.shape);
        let pooled = self.layer.pooled;
        match &self.layer.kernel {
            Kernel::Conv2d(conv) => {
                let input = bytes(input, from);
                conv.codes(input, requantizer, pooled, codes, &to, &mut work.scratch);
            }
            Kernel::Linear(linear) => {
                let input = bytes(input, from);
                let [pitch, to_pitch] = [shape.bytes(), to.bytes()];
                linear.codes(input, self.rows, pitch, requantizer, codes, to_pitch);
            }
            Kernel::Words(words) => {
                let input = self.words(input, from, &mut work.words);
                let step = [to.pitch(), to.channels];
                let codes = &mut codes[to.inside()..];
                words.codes(input, self.windows(), requantizer, pooled, codes, step);
            }
        }
    }

    /// Sums of every part.
    fn sums(&self, input: &Memory, from: usize, work: &mut Work) {
        let len = self.len();
        let sums = grow(&mut work.sums, self.parts() * len);
        match &self.layer.kernel {
            Kernel::Conv2d(conv) => conv.accumulators(bytes(input, from), sums, &mut work.scratch),
            Kernel::Linear(linear) => {
                let pitch = self.maps[0].shape.bytes();
                linear.accumulators(bytes(input, from), self.rows, pitch, sums);
            }
            Kernel::Words(words) => {
                let input = self.words(input, from, &mut work.words);
                for (part, sums) in sums.chunks_exact_mut(len).enumerate() {
                    words.sums(part, input, self.windows(), sums);
                }
            }
        }
    }

    /// Codes of these sums.
    fn finish<C: Code>(&self, formula: &Formula, to: &mut [C], work: &mut Work) {
        let [_, width, channels] = self.layer.sums;
        let shape = self.maps[1].shape;
        let [row, pitch, rows] = match self.layer.linear {
            true => [channels, shape.bytes(), self.rows],
            false => [width * channels, shape.pitch(), shape.height],
        };
        let job = Finish {
            sums: &work.sums[..self.parts() * self.len()],
            part: self.len(),
            digit: formula.digit,
            multipliers: &formula.multipliers,
            constants: &formula.constants,
            ends: formula.ends,
            zero: formula.zero,
            channels,
            row,
            pooled: self.layer.pooled,
            to,
            pitch,
            rows,
            narrow: grow(&mut work.narrow, row),
            wide: grow(&mut work.wide, 3 * row),
        };
        self.table.simple(C::job(OfCodes::Finish(job)));
    }

    /// Rows and columns of windows; of a linear layer a column is a row of features.
    fn windows(&self) -> [usize; 2] {
        let [height, width, _] = self.layer.sums;
        match self.layer.linear {
            true => [1, self.rows],
            false => [height, width],
        }
    }

    fn parts(&self) -> usize {
        match &self.layer.kernel {
            Kernel::Words(words) => words.parts(),
            Kernel::Conv2d(_) | Kernel::Linear(_) => 1,
        }
    }

    /// Sums of one part.
    fn len(&self) -> usize {
        let [_, _, channels] = self.layer.sums;
        self.windows().iter().product::<usize>() * channels
    }

    /// What a layer of words reads: bytes are widened.
    fn words<'a>(&self, input: &'a Memory, from: usize, widened: &'a mut Vec<i16>) -> &'a [i16] {
        match input {
            Memory::Words(codes) => &codes[from..],
            Memory::Bytes(codes) => {
                let len = self.rows * self.maps[0].shape.bytes();
                let words = grow(widened, len + SLACK);
                let (from, to) = (&codes[from..][..len], &mut words[..len]);
                self.table.simple(Simple::Widen { from, to });
                words
            }
        }
    }
}

/// What a layer of bytes reads.
fn bytes(input: &Memory, from: usize) -> &[u8] {
    match input {
        Memory::Bytes(codes) => &codes[from..],
        Memory::Words(_) => unreachable!("the plan gives words to kernels of words only"),
    }
}
