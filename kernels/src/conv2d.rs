//! A convolution on maps of one shape, packed for one instruction set.

use quant::QuantError;
use reference::{Conv2dGeometry, ShapeError};

use crate::algorithms::channels::{ChannelJob, Output};
use crate::algorithms::depthwise::{DepthwiseJob, DepthwiseOutput, rows_at_once};
use crate::algorithms::pixels::{PixelJob, Planes};
use crate::entry::Table;
use crate::layout::{MapShape, SLACK, padded_channels, padded_constants};
use crate::packing::{self, Element, Runs, Source};
use crate::requantizer::Requantizer;
use crate::{Kernels, interface::table_of};

/// The integers of a convolution.
pub struct Conv2dWeights<'a> {
    /// [O, C/groups, kernel height, kernel width].
    pub shape: [usize; 4],
    /// OIHW codes less their zero point.
    pub codes: &'a [i8],
    /// One an output channel; none is zeros. With the products it stays within int32.
    pub bias: Option<&'a [i32]>,
    /// The stored code that stands for 0 in the input: a border must hold it.
    pub input_zero: u8,
}

/// A convolution, packed.
#[derive(Clone, Debug)]
pub struct Conv2d {
    table: Table,
    input: MapShape,
    geometry: Conv2dGeometry,
    kernel: [usize; 2],
    /// Rows, columns, channels.
    output: [usize; 3],
    path: Path,
}

/// The algorithm, chosen by shape, and what it reads.
#[derive(Clone, Debug)]
enum Path {
    Channels {
        runs: Runs,
        /// Of each group: weights and biases.
        groups: Vec<(Vec<u8>, Vec<i32>)>,
    },
    Pixels {
        quads: usize,
        taps: Vec<[usize; 2]>,
        weights: Vec<u8>,
        bias: Vec<i32>,
    },
    Depthwise {
        weights: Vec<u8>,
        bias: Vec<i32>,
        view: DepthwiseView,
    },
}

/// How the depthwise algorithm sees a row of outputs.
#[derive(Clone, Copy, Debug)]
struct DepthwiseView {
    runs: usize,
    run: usize,
    repeats: bool,
    run_step: usize,
    rows_at_once: usize,
    blocks: usize,
    lanes: usize,
    channels: usize,
}

impl DepthwiseView {
    /// Whose weights a place of a block has.
    fn channel(&self, block: usize, place: usize) -> Option<usize> {
        let at = block * 4 * self.lanes + place;
        match self.repeats {
            true => Some(at % self.channels),
            false => Some(at).filter(|&channel| channel < self.channels),
        }
    }
}

/// Memory that a layer works in; grows to what the largest needs, and is then kept.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    pub(crate) quads: Vec<i32>,
    pub(crate) accumulators: Vec<i32>,
}

impl Conv2d {
    /// Packs a convolution of maps that have this shape, whose border is at least the padding.
    ///
    /// # Errors
    /// Shapes that do not fit each other.
    pub fn new(
        kernels: Kernels,
        weights: &Conv2dWeights<'_>,
        geometry: Conv2dGeometry,
        input: MapShape,
    ) -> Result<Self, QuantError> {
        let table = table_of(kernels);
        let [outputs, inputs, kh, kw] = weights.shape;
        let maps = [1, input.channels, input.height, input.width];
        let [_, _, height, width] = geometry.output_shape(&maps, &weights.shape)?;
        let lengths = [
            ("weights", outputs * inputs * kh * kw, weights.codes.len()),
            (
                "values of the bias",
                outputs,
                weights.bias.map_or(outputs, <[i32]>::len),
            ),
        ];
        for (what, expected, got) in lengths {
            if expected != got {
                return Err(ShapeError::Mismatch {
                    what,
                    expected,
                    got,
                }
                .into());
            }
        }
        if (0..2).any(|axis| input.border[axis] < geometry.padding[axis]) {
            return Err(ShapeError::Geometry(format!(
                "maps with a border of {:?} for a padding of {:?}",
                input.border, geometry.padding
            ))
            .into());
        }
        let kernel = [kh, kw];
        let at = |o: usize, ky: usize, kx: usize, i: usize| {
            i16::from(weights.codes[((o * inputs + i) * kh + ky) * kw + kx])
        };
        // Σ (u − SHIFT)·w + bias is Σ (u − zero)·w + β, modulo 2³².
        let zero = i32::from(weights.input_zero) - table.shift;
        let bias: Vec<i32> = (0..outputs)
            .map(|o| {
                let row = &weights.codes[o * inputs * kh * kw..][..inputs * kh * kw];
                let sum: i32 = row.iter().map(|&w| i32::from(w)).sum();
                let bias = weights.bias.map_or(0, |bias| bias[o]);
                bias.wrapping_sub(zero.wrapping_mul(sum))
            })
            .collect();
        let source = Source {
            outputs,
            kernel,
            inputs,
            at: &at,
        };
        let path = Path::new(&table, &source, bias, geometry, input, [height, width]);
        Ok(Self {
            table,
            input,
            geometry,
            kernel,
            output: [height, width, outputs],
            path,
        })
    }

    /// Rows, columns and channels of the output.
    pub fn output(&self) -> [usize; 3] {
        self.output
    }

    /// The name of the algorithm that the shape chose: `channels`, `pixels` or `depthwise`.
    pub fn algorithm(&self) -> &'static str {
        match self.path {
            Path::Channels { .. } => "channels",
            Path::Pixels { .. } => "pixels",
            Path::Depthwise { .. } => "depthwise",
        }
    }

    /// Whether [`Self::codes`] can pool 2 × 2 on its way.
    pub fn pools(&self) -> bool {
        !matches!(self.path, Path::Depthwise { .. })
    }

    /// The accumulators of one image, HWO.
    ///
    /// # Panics
    /// `input` is not [`MapShape::bytes`] and `SLACK` long, or `to` not as the output.
    pub fn accumulators(&self, input: &[u8], to: &mut [i32], scratch: &mut Scratch) {
        let [height, width, channels] = self.output;
        assert_eq!(to.len(), height * width * channels, "accumulators");
        let output = Output::Accumulators {
            to: to.as_mut_ptr(),
            step: [width * channels, channels],
        };
        self.run(input, output, [height, width], scratch);
    }

    /// The codes of one image, into maps of shape `to_shape`; `pooled` takes the largest of
    /// every 2 × 2, a last odd row or column left out.
    ///
    /// # Panics
    /// `input` is not [`MapShape::bytes`] and `SLACK` long, or `to` not as `to_shape` says,
    /// which must be the output's shape; or the layer cannot pool ([`Self::pools`]).
    pub fn codes(
        &self,
        input: &[u8],
        requantizer: &Requantizer,
        pooled: bool,
        to: &mut [u8],
        to_shape: &MapShape,
        scratch: &mut Scratch,
    ) {
        let [height, width, channels] = self.output;
        let made = match pooled {
            true => [height / 2, width / 2],
            false => [height, width],
        };
        assert_eq!(
            [to_shape.height, to_shape.width, to_shape.channels],
            [made[0], made[1], channels],
            "output maps"
        );
        assert!(to.len() >= to_shape.bytes(), "output maps");
        assert!(
            requantizer.multipliers.len() >= padded_constants(channels),
            "constants"
        );
        assert!(!pooled || self.pools(), "this algorithm does not pool");
        let output = Output::Codes {
            to: to[to_shape.inside()..].as_mut_ptr(),
            step: [to_shape.pitch(), channels],
            requantizer,
            first: 0,
            pooled,
        };
        let rows = if pooled { 2 * made[0] } else { made[0] };
        let columns = if pooled { 2 * made[1] } else { made[1] };
        self.run(input, output, [rows, columns], scratch);
    }

    /// Runs `rows` and `columns` of outputs.
    fn run(
        &self,
        input: &[u8],
        output: Output<'_>,
        [rows, columns]: [usize; 2],
        scratch: &mut Scratch,
    ) {
        let Self {
            input: shape,
            geometry,
            kernel,
            ..
        } = self;
        assert!(input.len() >= shape.bytes() + SLACK, "input maps");
        if rows == 0 || columns == 0 {
            return;
        }
        let pitch = shape.pitch();
        let first = (shape.border[0] - geometry.padding[0]) * pitch
            + (shape.border[1] - geometry.padding[1]) * shape.channels;
        let input = input[first..].as_ptr();
        let [sy, sx] = geometry.stride;
        match &self.path {
            Path::Channels { runs, groups } => {
                let inputs = shape.channels / groups.len();
                let channels = self.output[2] / groups.len();
                for (group, (weights, bias)) in groups.iter().enumerate() {
                    let job = ChannelJob {
                        input: input.wrapping_add(group * inputs),
                        rows,
                        columns,
                        window_step: [sy * pitch, sx * shape.channels],
                        runs: &runs.starts,
                        quads: runs.quads(Element::Byte),
                        weights,
                        bias,
                        channels,
                        output: output.of_group(group * channels),
                    };
                    // SAFETY: the table is this CPU's. The last window ends inside of the maps,
                    // and its last quad within SLACK behind them; outputs were checked by the
                    // callers, weights packed for these runs.
                    unsafe { (self.table.channels_of_bytes)(&job) }
                }
            }
            Path::Pixels {
                quads,
                taps,
                weights,
                bias,
            } => {
                let planes = planes(&self.table, [rows, columns], *quads, geometry, *kernel);
                // Rows and columns are fewer where the last of an odd number is not pooled.
                let fresh: Vec<[usize; 2]>;
                let taps = match [rows, columns] == self.output[..2] {
                    true => taps,
                    false => {
                        fresh = planes.taps(kernel[0], geometry.dilation[0]);
                        &fresh
                    }
                };
                if scratch.quads.len() < planes.len() {
                    scratch.quads.resize(planes.len(), 0);
                }
                let job = PixelJob {
                    input,
                    pitch,
                    rows,
                    columns,
                    step: sx * shape.channels,
                    planes,
                    taps,
                    weights,
                    bias,
                    channels: self.output[2],
                    scratch: scratch.quads.as_mut_ptr(),
                    output,
                };
                // SAFETY: the table is this CPU's. A vector of quads starts at a window inside of
                // the maps and reads SLACK bytes at most; the scratch is as long as the planes;
                // outputs were checked by the callers.
                unsafe { (self.table.pixels)(&job) }
            }
            Path::Depthwise {
                weights,
                bias,
                view,
            } => {
                let constants: [Vec<f32>; 2];
                let output = match output {
                    Output::Accumulators { to, step } => {
                        DepthwiseOutput::Accumulators { to, pitch: step[0] }
                    }
                    Output::Codes {
                        to,
                        step,
                        requantizer,
                        ..
                    } => {
                        constants = [&requantizer.multipliers, &requantizer.offsets].map(|all| {
                            packing::in_lanes(&self.table, all, 0.0, view.blocks, |b, p| {
                                view.channel(b, p)
                            })
                        });
                        DepthwiseOutput::Codes {
                            to,
                            pitch: step[0],
                            multipliers: &constants[0],
                            offsets: &constants[1],
                            scaling: requantizer.scaling,
                            clamp: requantizer.stored(),
                            // A zero point and 128 at most.
                            base: requantizer.base as i16,
                        }
                    }
                };
                let job = DepthwiseJob {
                    input,
                    input_rows: sy * (rows - 1) + geometry.dilation[0] * (kernel[0] - 1) + 1,
                    pitch,
                    rows,
                    rows_at_once: view.rows_at_once,
                    runs: view.runs,
                    run: view.run,
                    repeats: view.repeats,
                    run_step: view.run_step,
                    stride: sy,
                    dilation: geometry.dilation[0],
                    kernel: *kernel,
                    column_step: geometry.dilation[1] * shape.channels,
                    weights,
                    bias,
                    output,
                };
                // SAFETY: the table is this CPU's. A block starts inside of the maps and reads
                // SLACK bytes at most from there; outputs were checked by the callers.
                unsafe { (self.table.depthwise)(&job) }
            }
        }
    }
}

impl Output<'_> {
    /// From this channel on.
    pub(crate) fn of_group(self, channel: usize) -> Self {
        match self {
            Self::Accumulators { to, step } => Self::Accumulators {
                to: to.wrapping_add(channel),
                step,
            },
            Self::Codes {
                to,
                step,
                requantizer,
                first,
                pooled,
            } => Self::Codes {
                to: to.wrapping_add(channel),
                step,
                requantizer,
                first: first + channel,
                pooled,
            },
        }
    }
}

impl Path {
    fn new(
        table: &Table,
        source: &Source<'_>,
        bias: Vec<i32>,
        geometry: Conv2dGeometry,
        input: MapShape,
        output: [usize; 2],
    ) -> Self {
        let columns = output[1];
        let Conv2dGeometry {
            stride,
            dilation,
            groups,
            ..
        } = geometry;
        let channels = source.outputs;
        let kernel = source.kernel;
        if groups > 1 && groups == input.channels && groups == channels {
            return Self::depthwise(table, source, &bias, geometry, input, columns);
        }
        let step = stride[1] * input.channels;
        if groups == 1
            && step <= 4
            && dilation[1] == 1
            && pixels_pay(table, output[0].div_ceil(2) * columns, channels)
        {
            let row = kernel[1] * input.channels;
            let quads = row.div_ceil(4);
            let planes = planes(table, output, quads, &geometry, kernel);
            return Self::Pixels {
                quads,
                taps: planes.taps(kernel[0], geometry.dilation[0]),
                weights: packing::for_pixels(table, source),
                bias,
            };
        }
        let outputs = channels / groups;
        let runs = Runs::new(
            kernel,
            dilation,
            input.pitch(),
            input.channels,
            source.inputs,
        );
        let groups = (0..groups)
            .map(|group| {
                let of_group = Source {
                    outputs,
                    at: &|o, ky, kx, i| (source.at)(group * outputs + o, ky, kx, i),
                    ..*source
                };
                let weights = packing::for_channels(table, Element::Byte, &of_group, &runs);
                let mut bias = bias[group * outputs..][..outputs].to_vec();
                bias.resize(padded_channels(outputs), 0);
                (weights, bias)
            })
            .collect();
        Self::Channels { runs, groups }
    }

    fn depthwise(
        table: &Table,
        source: &Source<'_>,
        bias: &[i32],
        geometry: Conv2dGeometry,
        input: MapShape,
        columns: usize,
    ) -> Self {
        let channels = input.channels;
        let [_, sx] = geometry.stride;
        let repeats = sx == 1 && (4 * table.lanes).is_multiple_of(channels);
        let (runs, run) = match repeats {
            true => (1, columns * channels),
            false => (columns, channels),
        };
        let rows_at_once = rows_at_once(source.kernel[0], geometry.stride[0], geometry.dilation[0]);
        let view = DepthwiseView {
            runs,
            run,
            repeats,
            run_step: sx * channels,
            rows_at_once,
            blocks: if repeats {
                1
            } else {
                run.div_ceil(4 * table.lanes)
            },
            lanes: table.lanes,
            channels,
        };
        let channel = |block, place| view.channel(block, place);
        Self::Depthwise {
            weights: packing::for_depthwise(
                table,
                source,
                view.blocks,
                [rows_at_once, geometry.stride[0]],
                channel,
            ),
            bias: packing::in_lanes(table, bias, 0, view.blocks, channel),
            view,
        }
    }
}

/// Where the pixels algorithm keeps the quads of an image.
fn planes(
    table: &Table,
    output: [usize; 2],
    quads: usize,
    geometry: &Conv2dGeometry,
    kernel: [usize; 2],
) -> Planes {
    let rows = [geometry.stride[0], geometry.dilation[0], kernel[0]];
    Planes::new(table.lanes, output, quads, rows)
}

/// Whether pixels fill more of the lanes than channels would.
fn pixels_pay(table: &Table, pixels: usize, channels: usize) -> bool {
    let filled = |used: usize, of: usize| used as f64 / used.next_multiple_of(of) as f64;
    filled(pixels, 2 * table.lanes) > filled(channels, table.lanes)
}
