//! Codes of 1 to 16 bits, made of floats and of sums.
//!
//! Loops that compilers make vectors of, as in [`simple`](super::simple). Eq. 22 takes place in
//! float64, as it is written: sums and products of the same numbers, rounded alike.

use super::Code;
use crate::layout::MapShape;

/// Not NaN, both.
#[inline(always)]
fn larger<A: PartialOrd>(a: A, b: A) -> A {
    if a > b { a } else { b }
}

/// Not NaN, both.
#[inline(always)]
fn smaller<A: PartialOrd>(a: A, b: A) -> A {
    if a < b { a } else { b }
}

/// The codes of an image: eq. 1 as [`QuantParams::round_trip`] computes it, which clamps first.
///
/// [`QuantParams::round_trip`]: quant::scheme::QuantParams::round_trip
pub(crate) struct Quantize<'a, C> {
    /// CHW.
    pub(crate) image: &'a [f32],
    pub(crate) scale: f32,
    /// The least and the largest code less the zero point, and the code 0 less it: that of NaN.
    pub(crate) ends: [f32; 2],
    pub(crate) of_nan: f32,
    /// The stored zero point.
    pub(crate) zero: i32,
    pub(crate) shape: MapShape,
    /// The maps of the image, border included.
    pub(crate) to: &'a mut [C],
}

impl<C: Code> Quantize<'_, C> {
    #[inline(always)]
    pub(super) fn run(self) {
        let shape = self.shape;
        let [inside, pitch] = [shape.inside(), shape.pitch()];
        if shape.channels == 1 {
            // Rows that touch are one.
            let [rows, row] = match shape.border {
                [_, 0] => [1, shape.codes()],
                _ => [shape.height, shape.width],
            };
            for y in 0..rows {
                let from = &self.image[y * row..][..row];
                for (to, &x) in self.to[inside + y * pitch..][..row].iter_mut().zip(from) {
                    *to = code(x, self.scale, self.ends, self.of_nan, self.zero);
                }
            }
            return;
        }
        const BLOCK: usize = 64;
        for c in 0..shape.channels {
            for y in 0..shape.height {
                for x in (0..shape.width).step_by(BLOCK) {
                    let count = BLOCK.min(shape.width - x);
                    let from = &self.image[(c * shape.height + y) * shape.width + x..][..count];
                    let mut codes = [C::LEAST; BLOCK];
                    for (stored, &x) in codes.iter_mut().zip(from) {
                        *stored = code(x, self.scale, self.ends, self.of_nan, self.zero);
                    }
                    let to = &mut self.to[inside + y * pitch + x * shape.channels + c..];
                    let to = to.iter_mut().step_by(shape.channels);
                    for (to, &code) in to.zip(&codes[..count]) {
                        *to = code;
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn code<C: Code>(x: f32, scale: f32, [low, high]: [f32; 2], of_nan: f32, zero: i32) -> C {
    /// Where float32 has only integers; its low bits are those of what is added.
    const INTEGERS: f32 = 1.5 * (1 << 23) as f32;
    let steps = x / scale;
    let steps = if steps.is_nan() { of_nan } else { steps };
    let steps = smaller(larger(steps, low), high);
    C::of(((steps + INTEGERS).to_bits() as i32).wrapping_add(zero))
}

/// What makes codes of a layer's sums.
pub(crate) struct Finish<'a, C> {
    /// Sums, HWO, of so many values a part, part behind part:
    /// `acc = Σ digitⁱ · partᵢ + constant`.
    pub(crate) sums: &'a [i32],
    pub(crate) part: usize,
    pub(crate) digit: f64,
    /// M and the constant of each sum of a row of outputs.
    pub(crate) multipliers: &'a [f64],
    pub(crate) constants: &'a [f64],
    /// The least and the largest code less the zero point, an activation included.
    pub(crate) ends: [f64; 2],
    /// The stored zero point.
    pub(crate) zero: i32,
    /// Sums of a pixel.
    pub(crate) channels: usize,
    /// Sums of a row, before it is pooled.
    pub(crate) row: usize,
    /// The largest of every 2 × 2: multipliers are positive, so it is the same to pool sums.
    pub(crate) pooled: bool,
    /// The first output, and codes from a row of outputs to the next.
    pub(crate) to: &'a mut [C],
    pub(crate) pitch: usize,
    /// Rows of outputs.
    pub(crate) rows: usize,
    /// What is pooled of one part: a row of outputs.
    pub(crate) narrow: &'a mut [i32],
    /// What is summed of several parts, two rows where it is pooled, and then a row of outputs.
    pub(crate) wide: &'a mut [f64],
}

impl<C: Code> Finish<'_, C> {
    #[inline(always)]
    pub(super) fn run(self) {
        let Self { channels, row, .. } = self;
        let outputs = match self.pooled {
            true => row / channels / 2 * channels,
            false => row,
        };
        let [multipliers, constants] =
            [self.multipliers, self.constants].map(|constants| &constants[..outputs]);
        let at_once = if self.pooled { 2 } else { 1 };
        for y in 0..self.rows {
            let to = &mut self.to[y * self.pitch..][..outputs];
            if self.part == self.sums.len() {
                let part = self.sums;
                let sums = match self.pooled {
                    false => &part[y * row..][..row],
                    true => {
                        let rows = &part[2 * y * row..][..2 * row];
                        pool(rows, channels, row, &mut self.narrow[..outputs]);
                        &self.narrow[..outputs]
                    }
                };
                let constants = multipliers.iter().zip(constants);
                for ((to, &sum), (&m, &c)) in to.iter_mut().zip(sums).zip(constants) {
                    *to = finished(f64::from(sum) + c, m, self.ends, self.zero);
                }
                continue;
            }
            let (sums, pooled) = self.wide.split_at_mut(at_once * row);
            let mut digit = 1.0;
            for (i, part) in self.sums.chunks_exact(self.part).enumerate() {
                let part = &part[at_once * y * row..][..at_once * row];
                for (sum, &part) in sums.iter_mut().zip(part) {
                    let before = if i == 0 { 0.0 } else { *sum };
                    *sum = before + f64::from(part) * digit;
                }
                digit *= self.digit;
            }
            let sums = match self.pooled {
                false => sums,
                true => {
                    pool(sums, channels, row, &mut pooled[..outputs]);
                    &mut pooled[..outputs]
                }
            };
            let constants = multipliers.iter().zip(constants);
            for ((to, &sum), (&m, &c)) in to.iter_mut().zip(&*sums).zip(constants) {
                *to = finished(sum + c, m, self.ends, self.zero);
            }
        }
    }
}

/// Eq. 22: the ends are integers, so it is the same to clamp first.
#[inline(always)]
fn finished<C: Code>(acc: f64, multiplier: f64, [low, high]: [f64; 2], zero: i32) -> C {
    /// Where float64 has only integers; its low bits are those of what is added.
    const INTEGERS: f64 = 1.5 * (1u64 << 52) as f64;
    let steps = smaller(larger(acc * multiplier, low), high);
    C::of(((steps + INTEGERS).to_bits() as i32).wrapping_add(zero))
}

/// The largest of every 2 × 2 of two rows.
#[inline(always)]
fn pool<A: Copy + PartialOrd>(rows: &[A], channels: usize, row: usize, to: &mut [A]) {
    let (above, below) = rows.split_at(row);
    let pairs = above
        .chunks_exact(2 * channels)
        .zip(below.chunks_exact(2 * channels));
    for (to, (above, below)) in to.chunks_exact_mut(channels).zip(pairs) {
        let (left, right) = above.split_at(channels);
        let (left_below, right_below) = below.split_at(channels);
        for c in 0..channels {
            to[c] = larger(
                larger(left[c], right[c]),
                larger(left_below[c], right_below[c]),
            );
        }
    }
}
