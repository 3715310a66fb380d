//! One thread's memory, and the steps run in it.

use quant::Rounding;
use quant::formulas::output::oiq;

use super::plan::{Kind, Plan, Requantize, Step, ZERO};
use crate::algorithms::{OfCodes, Pool, Simple};
use crate::entry::Table;
use crate::interface::table_of;
use crate::layout::{Aligned, MapShape, SLACK};
use crate::prefetch;
use crate::scratch::{Scratch, grow};

/// How many images before it is loaded an image is asked for: nearer it comes late, farther it
/// is gone again (`cargo xtask bench --workload lab-b1000`).
const AHEAD: usize = 2;

/// The order of the codes of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Channel by channel.
    Nchw,
    /// Pixel by pixel: as the kernels keep them.
    Nhwc,
}

/// One thread's memory for a network.
#[derive(Clone, Debug)]
pub struct Session<'a> {
    plan: &'a Plan,
    table: Table,
    /// For each of the plan's maps, its slots one behind the other; borders hold 0 for good.
    maps: Vec<Aligned<u8>>,
    scratch: Scratch,
}

impl<'a> Session<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let maps = (plan.maps.iter())
            .map(|maps| Aligned::filled(ZERO, maps.slots * maps.shape.bytes() + SLACK))
            .collect();
        let mut scratch = Scratch::default();
        for step in &plan.steps {
            match &step.kind {
                Kind::Conv2d(conv, requantize, _) => {
                    conv.reserve(&mut scratch);
                    if let Requantize::Formula { .. } = requantize {
                        grow(&mut scratch.accumulators, conv.output().iter().product());
                    }
                }
                Kind::Linear(linear, Requantize::Formula { .. }) => {
                    let [outputs, _] = linear.shape();
                    grow(&mut scratch.accumulators, plan.block * outputs);
                }
                _ => {}
            }
        }
        Self {
            plan,
            table: table_of(plan.kernels),
            maps,
            scratch,
        }
    }

    /// The codes of the last layer for input codes of any number of images, both in `order`.
    ///
    /// # Panics
    /// Codes and outputs are not those of as many whole images.
    pub fn run(&mut self, codes: &[i8], order: Order, out: &mut [i8]) {
        self.plan.images(codes, out);
        let [input, output] = self.plan.lengths();
        let block = self.plan.block;
        let mut ahead = codes.chunks_exact(input).skip(AHEAD);
        let blocks = codes.chunks(block * input);
        for (codes, out) in blocks.zip(out.chunks_mut(block * output)) {
            let images = codes.len() / input;
            let of_image = self.plan.image_steps();
            if self.plan.is_run(0, order) {
                let to = &mut self.maps[0][..codes.len()];
                self.table.simple(Simple::Store { codes, to });
            } else {
                for (slot, codes) in codes.chunks_exact(input).enumerate() {
                    prefetch::soon(ahead.next().unwrap_or_default());
                    self.load(codes, order, slot);
                    for step in 0..of_image {
                        self.step(step, slot, 1);
                    }
                }
            }
            for step in of_image..self.plan.steps.len() {
                self.step(step, 0, images);
            }
            let last = self.plan.maps.len() - 1;
            if self.plan.is_run(last, order) {
                let (from, codes) = (&self.maps[last][..out.len()], out);
                self.table.simple(Simple::Load { from, codes });
            } else {
                for (slot, out) in out.chunks_exact_mut(output).enumerate() {
                    self.unload(last, slot, order, out);
                }
            }
        }
    }

    /// Calls `layer` with the index, the accumulators and the codes of every layer of one image
    /// (codes NCHW), in the network's order. The plan must be unfused.
    pub(super) fn trace(
        &mut self,
        codes: &[i8],
        mut layer: impl FnMut(usize, Option<&[i32]>, &[i8]),
    ) {
        self.load(codes, Order::Nchw, 0);
        for index in 0..self.plan.steps.len() {
            let step = &self.plan.steps[index];
            let accumulators = self.accumulators(step);
            self.step(index, 0, 1);
            let maps = step.maps[1];
            let shape = self.plan.maps[maps].shape;
            let mut codes = vec![0; shape.codes()];
            self.unload(maps, 0, Order::Nchw, &mut codes);
            let accumulators = accumulators.map(|values| by_channel(&values, &shape));
            layer(step.layer, accumulators.as_deref(), &codes);
        }
    }

    /// Stores an image's codes as the first maps, in the given slot of a block.
    fn load(&mut self, codes: &[i8], order: Order, slot: usize) {
        let maps = self.plan.maps[0];
        let shape = maps.shape;
        let to = &mut self.maps[0][slot % maps.slots * shape.bytes()..];
        if order == Order::Nhwc && shape.border == [0, 0] {
            let to = &mut to[..shape.bytes()];
            return self.table.simple(Simple::Store { codes, to });
        }
        let row = shape.width * shape.channels;
        for y in 0..shape.height {
            let to = &mut to[shape.inside() + y * shape.pitch()..][..row];
            match order {
                Order::Nhwc => {
                    let codes = &codes[y * row..][..row];
                    self.table.simple(Simple::Store { codes, to });
                }
                Order::Nchw => {
                    for c in 0..shape.channels {
                        let from = &codes[(c * shape.height + y) * shape.width..][..shape.width];
                        for (to, &code) in to[c..].iter_mut().step_by(shape.channels).zip(from) {
                            *to = code as u8 ^ ZERO;
                        }
                    }
                }
            }
        }
    }

    /// Copies an image's codes out.
    fn unload(&self, maps: usize, slot: usize, order: Order, out: &mut [i8]) {
        let shape = self.plan.maps[maps].shape;
        let from = &self.maps[maps][slot * shape.bytes()..];
        let row = shape.width * shape.channels;
        if order == Order::Nhwc || shape.height * shape.width == 1 {
            for (y, codes) in out.chunks_exact_mut(row).enumerate() {
                let from = &from[shape.inside() + y * shape.pitch()..][..row];
                self.table.simple(Simple::Load { from, codes });
            }
            return;
        }
        let mut out = out.iter_mut();
        for c in 0..shape.channels {
            for y in 0..shape.height {
                let row = &from[shape.inside() + y * shape.pitch() + c..];
                let codes = row.iter().step_by(shape.channels).take(shape.width);
                // Codes first: a zip takes one more of what comes first.
                for (&code, out) in codes.zip(&mut out) {
                    *out = (code ^ ZERO) as i8;
                }
            }
        }
    }

    /// The accumulators of a weighted step on the image in slot 0, HWO.
    fn accumulators(&mut self, step: &Step) -> Option<Vec<i32>> {
        let input = &self.maps[step.maps[0]];
        let shape = self.plan.maps[step.maps[0]].shape;
        match &step.kind {
            Kind::Conv2d(conv, ..) => {
                let mut to = vec![0; conv.output().iter().product()];
                conv.accumulators(input, &mut to, &mut self.scratch);
                Some(to)
            }
            Kind::Linear(linear, _) => {
                let mut to = vec![0; linear.shape()[0]];
                linear.accumulators(input, 1, shape.bytes(), &mut to);
                Some(to)
            }
            _ => None,
        }
    }

    /// One step on the images of some slots.
    fn step(&mut self, index: usize, slot: usize, images: usize) {
        let Self {
            plan,
            table,
            maps,
            scratch,
        } = self;
        let step = &plan.steps[index];
        let [read, write] = step.maps;
        if read == write {
            if matches!(step.kind, Kind::Relu) {
                let shape = plan.maps[read].shape;
                let from = slot % plan.maps[read].slots * shape.bytes();
                let codes = &mut maps[read][from..][..images * shape.bytes()];
                table.simple(Simple::Bytes(OfCodes::AtLeast { codes, least: ZERO }));
            }
            return;
        }
        let (before, after) = maps.split_at_mut(write);
        let [from, to] = [plan.maps[read], plan.maps[write]];
        let input = &before[read][slot % from.slots * from.shape.bytes()..];
        let output = &mut after[0][slot % to.slots * to.shape.bytes()..];
        if let Kind::Linear(linear, requantize) = &step.kind {
            let [pitch, to_pitch] = [from.shape.bytes(), to.shape.bytes()];
            match requantize {
                Requantize::Certified(requantizer) => {
                    linear.codes(input, images, pitch, requantizer, output, to_pitch);
                }
                Requantize::Formula { scale, least } => {
                    let [outputs, _] = linear.shape();
                    let acc = grow(&mut scratch.accumulators, images * outputs);
                    linear.accumulators(input, images, pitch, acc);
                    let code = |acc| oiq(acc, *scale, plan.rounding);
                    store(acc, code, *least, &mut output[..images * outputs]);
                }
            }
            return;
        }
        for image in 0..images {
            let input = &input[image * from.shape.bytes()..];
            let output = &mut output[image * to.shape.bytes()..];
            match &step.kind {
                Kind::Conv2d(conv, Requantize::Certified(requantizer), pooled) => {
                    conv.codes(input, requantizer, *pooled, output, &to.shape, scratch);
                }
                Kind::Conv2d(conv, Requantize::Formula { scale, least }, pooled) => {
                    let mut acc = std::mem::take(&mut scratch.accumulators);
                    let [height, width, channels] = conv.output();
                    let all = grow(&mut acc, height * width * channels);
                    conv.accumulators(input, all, scratch);
                    if *pooled {
                        pool_in_place(all, [height, width, channels]);
                    }
                    let code = |acc| oiq(acc, *scale, plan.rounding);
                    let row = to.shape.width * channels;
                    for y in 0..to.shape.height {
                        let at = to.shape.inside() + y * to.shape.pitch();
                        store(
                            &all[y * row..][..row],
                            code,
                            *least,
                            &mut output[at..][..row],
                        );
                    }
                    scratch.accumulators = acc;
                }
                Kind::MaxPool(geometry) => {
                    let pool = Pool {
                        input,
                        shape: from.shape,
                        windows: geometry.windows(),
                        output,
                        output_shape: to.shape,
                    };
                    table.simple(Simple::Bytes(OfCodes::MaxPool(pool)));
                }
                Kind::AveragePool(geometry) => {
                    let pool = Pool {
                        input,
                        shape: from.shape,
                        windows: geometry.window.windows(),
                        output,
                        output_shape: to.shape,
                    };
                    table.simple(average(pool, geometry.count_include_pad, plan.rounding));
                }
                Kind::Linear(..) | Kind::Relu | Kind::Flatten => {}
            }
        }
    }
}

fn average(pool: Pool<'_, u8>, count_include_pad: bool, rounding: Rounding) -> Simple<'_> {
    Simple::Bytes(OfCodes::AveragePool {
        pool,
        count_include_pad,
        rounding,
        zero: i32::from(ZERO),
    })
}

/// Stored codes of accumulators.
fn store(acc: &[i32], code: impl Fn(i32) -> i8, least: i32, to: &mut [u8]) {
    for (to, &acc) in to.iter_mut().zip(acc) {
        *to = (i32::from(code(acc)).max(least) as i8) as u8 ^ ZERO;
    }
}

/// The largest of every 2 × 2, in front.
fn pool_in_place(acc: &mut [i32], [height, width, channels]: [usize; 3]) {
    let mut to = 0;
    for y in 0..height / 2 {
        for x in 0..width / 2 {
            for c in 0..channels {
                let at = |dy: usize, dx: usize| ((2 * y + dy) * width + 2 * x + dx) * channels + c;
                let [a, b, c, d] = [at(0, 0), at(0, 1), at(1, 0), at(1, 1)].map(|at| acc[at]);
                acc[to] = a.max(b).max(c).max(d);
                to += 1;
            }
        }
    }
}

/// HWC to CHW.
fn by_channel(values: &[i32], shape: &MapShape) -> Vec<i32> {
    (0..shape.channels)
        .flat_map(|c| values.iter().skip(c).step_by(shape.channels).copied())
        .collect()
}
