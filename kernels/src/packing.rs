//! Weights in the order in which the kernels read them.
//!
//! Each layout is drawn at the head of the algorithm that reads it. What is packed here is
//! only for the instruction set whose [`Table`] it was packed for.

use crate::Isa;
use crate::algorithms::channels::{self, ChannelJob};
use crate::algorithms::depthwise;
use crate::entry::Table;

/// Weights `[output][kernel row][kernel column][input channel]` (OHWI) of one group, behind
/// a function, so that the order in which a network stores them does not matter.
pub(crate) struct Source<'a> {
    /// Output channels.
    pub(crate) outputs: usize,
    /// Kernel rows and columns.
    pub(crate) kernel: [usize; 2],
    /// Input channels.
    pub(crate) inputs: usize,
    /// The weight of output channel, kernel row, kernel column and input channel.
    pub(crate) at: &'a dyn Fn(usize, usize, usize, usize) -> i16,
}

/// What maps hold: stored codes, which are multiplied by weights of as many bytes.
pub(crate) trait Element: Copy {
    /// Elements that four bytes hold.
    const A_QUAD: usize = 4 / size_of::<Self>();
    /// A weight, packed.
    fn push(to: &mut Vec<u8>, weight: i16);
    /// What runs a layer of them.
    fn entry(table: &Table) -> unsafe fn(&ChannelJob<'_>);
}

impl Element for u8 {
    fn push(to: &mut Vec<u8>, weight: i16) {
        to.push(weight as u8);
    }

    fn entry(table: &Table) -> unsafe fn(&ChannelJob<'_>) {
        table.channels_of_bytes
    }
}

impl Element for i16 {
    fn push(to: &mut Vec<u8>, weight: i16) {
        to.extend(weight.to_le_bytes());
    }

    fn entry(table: &Table) -> unsafe fn(&ChannelJob<'_>) {
        table.channels_of_words
    }
}

/// What is added to the sums of each output channel, so that
///
/// ```text
/// Σ (u − SHIFT)·w + made = Σ (u − zero)·w + bias
/// ```
/// modulo 2³², as all these sums. No bias is zeros.
pub(crate) fn folded_bias(
    table: &Table,
    source: &Source<'_>,
    bias: Option<&[i32]>,
    input_zero: u8,
) -> Vec<i32> {
    let zero = i32::from(input_zero) - table.shift;
    let [rows, columns] = source.kernel;
    (0..source.outputs)
        .map(|o| {
            let mut made = bias.map_or(0, |bias| bias[o]);
            for tap in 0..rows * columns {
                for i in 0..source.inputs {
                    let weight = (source.at)(o, tap / columns, tap % columns, i);
                    made = made.wrapping_sub(zero * i32::from(weight));
                }
            }
            made
        })
        .collect()
}

/// The runs of a window: where each starts, from the window's first element, and its length in
/// elements. A kernel row is one run where its pixels and their channels lie side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Runs {
    /// Elements from the start of the window.
    pub(crate) starts: Vec<usize>,
    /// Elements of each.
    pub(crate) len: usize,
    /// Kernel columns that a run spans.
    columns: usize,
}

impl Runs {
    /// The runs of a window on an image whose rows are `pitch` and whose pixels `channels`
    /// elements apart; a group reads `inputs` of these channels.
    pub(crate) fn new(
        kernel: [usize; 2],
        dilation: [usize; 2],
        pitch: usize,
        channels: usize,
        inputs: usize,
    ) -> Self {
        let together = (dilation[1] == 1 || kernel[1] == 1) && inputs == channels;
        let columns = if together { kernel[1] } else { 1 };
        let starts = (0..kernel[0])
            .flat_map(|ky| {
                (0..kernel[1])
                    .step_by(columns)
                    .map(move |kx| ky * dilation[0] * pitch + kx * dilation[1] * channels)
            })
            .collect();
        Self {
            starts,
            len: columns * inputs,
            columns,
        }
    }

    /// Quads of a run.
    pub(crate) fn quads<E: Element>(&self) -> usize {
        self.len.div_ceil(E::A_QUAD)
    }
}

/// For [`channels`]: tile by tile, run by run, quad by quad, vector by vector.
pub(crate) fn for_channels<E: Element>(table: &Table, source: &Source<'_>, runs: &Runs) -> Vec<u8> {
    let lanes = table.lanes;
    let mut packed = Vec::new();
    let mut first = 0;
    while first < source.outputs {
        let left = (source.outputs - first).div_ceil(lanes);
        let width = channels::width(table.tile_pixels, left);
        for run in 0..runs.starts.len() {
            for quad in 0..runs.quads::<E>() {
                for lane in 0..width * lanes {
                    for byte in 0..E::A_QUAD {
                        let place = quad * E::A_QUAD + byte;
                        let weight = match first + lane < source.outputs && place < runs.len {
                            true => {
                                let tap = run * runs.columns + place / source.inputs;
                                let [_, columns] = source.kernel;
                                let [ky, kx] = [tap / columns, tap % columns];
                                (source.at)(first + lane, ky, kx, place % source.inputs)
                            }
                            false => 0,
                        };
                        E::push(&mut packed, weight);
                    }
                }
            }
        }
        first += width * lanes;
    }
    packed
}

/// For [`pixels`](crate::algorithms::pixels): a few channels, row by row, quad by quad.
pub(crate) fn for_pixels(table: &Table, source: &Source<'_>) -> Vec<u8> {
    let row = source.kernel[1] * source.inputs;
    let mut packed = Vec::new();
    let most = table.pixel_tile_channels;
    for first in (0..source.outputs).step_by(most) {
        for ky in 0..source.kernel[0] {
            for quad in 0..row.div_ceil(4) {
                for output in first..(first + most).min(source.outputs) {
                    for place in 4 * quad..4 * quad + 4 {
                        let weight = match place < row {
                            true => {
                                let [kx, input] = [place / source.inputs, place % source.inputs];
                                (source.at)(output, ky, kx, input)
                            }
                            false => 0,
                        };
                        u8::push(&mut packed, weight);
                    }
                }
            }
        }
    }
    packed
}

/// Whose constants the lanes of [`depthwise`](crate::algorithms::depthwise) have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LaneOrder {
    /// Whose lanes: two instruction sets with as many may interleave in other orders.
    pub(crate) isa: Isa,
    /// Channels.
    pub(crate) channels: usize,
    /// Whether one block of `4 · LANES` holds whole pixels, so that it serves all.
    pub(crate) repeats: bool,
}

impl LaneOrder {
    /// The channel of every lane in order, `None` behind the last.
    fn channels<'a>(&'a self, table: &'a Table) -> impl Iterator<Item = Option<usize>> + 'a {
        assert_eq!(table.isa, self.isa, "lanes of another instruction set");
        let block = 4 * table.lanes;
        let blocks = match self.repeats {
            true => 1,
            false => self.channels.div_ceil(block),
        };
        (0..blocks * block).map(move |at| {
            let lane = at % block;
            let place = (table.interleaved)(lane / table.lanes, lane % table.lanes);
            let channel = at / block * block + place;
            match self.repeats {
                true => Some(channel % self.channels),
                false => Some(channel).filter(|&channel| channel < self.channels),
            }
        })
    }
}

/// For [`depthwise`](crate::algorithms::depthwise): block by block, group of rows by group,
/// column by column, for each of `rows_at_once` rows of outputs, `stride` apart.
pub(crate) fn for_depthwise(
    table: &Table,
    source: &Source<'_>,
    order: &LaneOrder,
    [rows_at_once, stride]: [usize; 2],
) -> Vec<u8> {
    let [rows, columns] = source.kernel;
    let groups = depthwise::row_groups(rows);
    let channels: Vec<Option<usize>> = order.channels(table).collect();
    let mut packed = Vec::new();
    for block in channels.chunks_exact(4 * table.lanes) {
        for group in 0..groups {
            for kx in 0..columns {
                for below in 0..rows_at_once {
                    for &channel in block {
                        for row in 4 * group..4 * group + 4 {
                            let ky = row.checked_sub(below * stride).filter(|&ky| ky < rows);
                            let weight = match (channel, ky) {
                                (Some(channel), Some(ky)) => (source.at)(channel, ky, kx, 0),
                                _ => 0,
                            };
                            u8::push(&mut packed, weight);
                        }
                    }
                }
            }
        }
    }
    packed
}

/// A constant a channel in the order of lanes; what is behind the last is `rest`.
pub(crate) fn in_lanes<T: Copy>(
    table: &Table,
    constants: &[T],
    rest: T,
    order: &LaneOrder,
) -> Vec<T> {
    (order.channels(table))
        .map(|channel| channel.map_or(rest, |channel| constants[channel]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch;
    use crate::interface::table_of;

    #[test]
    fn biases_wrap_as_sums_do() {
        const INPUTS: usize = (1 << 24) + 1;
        let table = table_of(dispatch::portable());
        let source = Source {
            outputs: 2,
            kernel: [1, 1],
            inputs: INPUTS,
            at: &|o, _, _, _| [-128, 127][o],
        };
        let made = folded_bias(&table, &source, Some(&[i32::MAX, i32::MIN]), 255);
        let zero = 255 - i64::from(table.shift);
        let expected = [(i32::MAX, -128), (i32::MIN, 127)]
            .map(|(bias, weight)| (i64::from(bias) - zero * weight * INPUTS as i64) as i32);
        assert_eq!(made, expected);
        let narrow = Source {
            inputs: 3,
            ..source
        };
        assert_eq!(folded_bias(&table, &narrow, None, 1), [384, -381]);
    }
}
