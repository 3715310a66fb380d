//! A convolution on maps of one shape, packed for one instruction set.

mod depthwise;
mod pixels;

use quant::QuantError;
use reference::tensor::volume;
use reference::{Conv2dGeometry, ShapeError};

use crate::Kernels;
use crate::algorithms::channels::Output;
use crate::entry::Table;
use crate::groups::Groups;
use crate::interface::table_of;
use crate::layout::{MapShape, SLACK};
use crate::packing::{Runs, Source, folded_bias};
use crate::requantizer::{Arrangement, Requantizer};
pub use crate::scratch::Scratch;
use depthwise::Depthwise;
use pixels::Pixels;

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
    site: Site,
    path: Path,
}

/// Where a convolution takes place.
#[derive(Clone, Copy, Debug)]
struct Site {
    table: Table,
    input: MapShape,
    geometry: Conv2dGeometry,
    /// Rows and columns.
    kernel: [usize; 2],
    /// Rows, columns, channels.
    output: [usize; 3],
}

/// The algorithm, chosen by shape, and what it reads.
#[derive(Clone, Debug)]
enum Path {
    Channels(Box<Groups<u8>>),
    Pixels(Box<Pixels>),
    Depthwise(Depthwise),
}

impl Path {
    /// `bias`: of every output channel, zero points folded in.
    fn new(site: &Site, source: &Source<'_>, bias: Vec<i32>) -> Self {
        if Depthwise::fits(site) {
            Self::Depthwise(Depthwise::new(site, source, &bias))
        } else if Pixels::pays(site) {
            Self::Pixels(Box::new(Pixels::new(site, source, bias)))
        } else {
            let [pitch, channels] = [site.input.pitch(), site.input.channels];
            let dilation = site.geometry.dilation;
            let runs = Runs::new(site.kernel, dilation, pitch, channels, source.inputs);
            let groups = site.geometry.groups;
            let groups = Groups::new(site.table, source, groups, &runs, &bias);
            Self::Channels(Box::new(groups))
        }
    }
}

impl Conv2d {
    /// Packs a convolution of maps that have this shape, whose border is at least the padding.
    ///
    /// # Errors
    /// Shapes that do not fit each other, no channels, or more outputs than memory holds.
    ///
    /// # Panics
    /// Maps that no memory holds.
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
        if outputs == 0 || inputs == 0 {
            return Err(QuantError::Empty);
        }
        volume(&[height, width, outputs])?;
        let lengths = [
            ("weights", volume(&weights.shape)?, weights.codes.len()),
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
        let at = |o: usize, ky: usize, kx: usize, i: usize| {
            i16::from(weights.codes[((o * inputs + i) * kh + ky) * kw + kx])
        };
        let source = Source {
            outputs,
            kernel: [kh, kw],
            inputs,
            at: &at,
        };
        let bias = folded_bias(&table, &source, weights.bias, weights.input_zero);
        let site = Site {
            table,
            input,
            geometry: without_idle_steps(geometry, [kh, kw], [height, width]),
            kernel: [kh, kw],
            output: [height, width, outputs],
        };
        let path = Path::new(&site, &source, bias);
        Ok(Self { site, path })
    }

    /// Rows, columns and channels of the output.
    pub fn output(&self) -> [usize; 3] {
        self.site.output
    }

    /// The name of the algorithm that the shape chose: `channels`, `pixels` or `depthwise`.
    pub fn algorithm(&self) -> &'static str {
        match self.path {
            Path::Channels(_) => "channels",
            Path::Pixels(_) => "pixels",
            Path::Depthwise(_) => "depthwise",
        }
    }

    /// Makes the scratch as large as this layer needs.
    pub(crate) fn reserve(&self, scratch: &mut Scratch) {
        if let Path::Pixels(pixels) = &self.path {
            pixels.reserve(&mut scratch.quads);
        }
    }

    /// Whether [`Self::codes`] can pool 2 × 2 on its way.
    pub fn pools(&self) -> bool {
        !matches!(self.path, Path::Depthwise(_))
    }

    /// The constants, one a channel, in the order in which this layer's algorithm reads them:
    /// to be done once, for [`Self::codes`].
    ///
    /// # Panics
    /// They are not of this layer's channels, or are in another layer's order already.
    pub fn arranged(&self, requantizer: Requantizer) -> Requantizer {
        let [_, _, channels] = self.site.output;
        requantizer.check(channels, Arrangement::Channels);
        match &self.path {
            Path::Channels(_) | Path::Pixels(_) => requantizer,
            Path::Depthwise(depthwise) => depthwise.arranged(&self.site, requantizer),
        }
    }

    /// The accumulators of one image, HWO.
    ///
    /// # Panics
    /// `input` is not [`MapShape::bytes`] and `SLACK` long, or `to` not as the output.
    pub fn accumulators(&self, input: &[u8], to: &mut [i32], scratch: &mut Scratch) {
        let [height, width, channels] = self.site.output;
        assert_eq!(to.len(), height * width * channels, "accumulators");
        let output = Output::Accumulators {
            to: to.as_mut_ptr(),
            step: [width * channels, channels],
        };
        self.run(input, output, scratch);
    }

    /// The codes of one image, into maps of shape `to_shape`; `pooled` takes the largest of
    /// every 2 × 2, a last odd row or column left out. The constants are [`Self::arranged`].
    ///
    /// # Panics
    /// `input` is not [`MapShape::bytes`] and `SLACK` long, `to` not as `to_shape` says, which
    /// must be the output's shape, constants of another layer, or the layer cannot pool
    /// ([`Self::pools`]).
    pub fn codes(
        &self,
        input: &[u8],
        requantizer: &Requantizer,
        pooled: bool,
        to: &mut [u8],
        to_shape: &MapShape,
        scratch: &mut Scratch,
    ) {
        let [height, width, channels] = self.site.output;
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
        assert!(!pooled || self.pools(), "this algorithm does not pool");
        let arrangement = match &self.path {
            Path::Channels(_) | Path::Pixels(_) => Arrangement::Channels,
            Path::Depthwise(depthwise) => Arrangement::Lanes(depthwise.lane_order()),
        };
        requantizer.check(channels, arrangement);
        let output = Output::Codes {
            to: to[to_shape.inside()..].as_mut_ptr(),
            step: [to_shape.pitch(), channels],
            requantizer,
            first: 0,
            pooled,
        };
        self.run(input, output, scratch);
    }

    /// Runs all outputs; those of a max-pool of 2 × 2 without a last odd row and column.
    fn run(&self, input: &[u8], output: Output<'_>, scratch: &mut Scratch) {
        let site = &self.site;
        assert!(input.len() >= site.input.bytes() + SLACK, "input maps");
        let [height, width, _] = site.output;
        let of = match output {
            Output::Codes { pooled: true, .. } => [height / 2 * 2, width / 2 * 2],
            _ => [height, width],
        };
        if of.contains(&0) {
            return;
        }
        let input = &input[site.input.first_window(site.geometry.padding)..];
        match &self.path {
            Path::Channels(channels) => {
                let step = site.input.window_step(site.geometry.stride);
                // SAFETY: outputs and constants were checked by the callers.
                unsafe { channels.run(input, of, step, output) }
            }
            Path::Pixels(pixels) => pixels.run(site, input, of, output, &mut scratch.quads),
            Path::Depthwise(depthwise) => depthwise.run(site, input, of[0], output),
        }
    }
}

/// The same with a stride of 1 where there is one output, and a dilation of 1 where there is one
/// tap: they lead nowhere, and may be of any size.
fn without_idle_steps(
    geometry: Conv2dGeometry,
    kernel: [usize; 2],
    outputs: [usize; 2],
) -> Conv2dGeometry {
    let unless_one = |count: usize, step: usize| if count == 1 { 1 } else { step };
    Conv2dGeometry {
        stride: [0, 1].map(|axis| unless_one(outputs[axis], geometry.stride[axis])),
        dilation: [0, 1].map(|axis| unless_one(kernel[axis], geometry.dilation[axis])),
        ..geometry
    }
}

impl Site {
    /// Rows of the image that the windows of `rows` rows of outputs read.
    fn input_rows(&self, rows: usize) -> usize {
        let [stride, dilation] = [self.geometry.stride[0], self.geometry.dilation[0]];
        stride * (rows - 1) + dilation * (self.kernel[0] - 1) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch;

    const MAPS: MapShape = MapShape {
        height: 1,
        width: 1,
        channels: 1,
        border: [0, 0],
    };

    fn conv2d(
        shape: [usize; 4],
        codes: &[i8],
        geometry: Conv2dGeometry,
        maps: MapShape,
    ) -> Result<[usize; 3], QuantError> {
        let weights = Conv2dWeights {
            shape,
            codes,
            bias: None,
            input_zero: 128,
        };
        Conv2d::new(dispatch::portable(), &weights, geometry, maps).map(|conv| conv.output())
    }

    #[test]
    fn a_convolution_without_channels_is_refused() {
        let geometry = Conv2dGeometry::default();
        assert_eq!(conv2d([1, 1, 1, 1], &[3], geometry, MAPS), Ok([1, 1, 1]));
        let empty = conv2d([0, 1, 1, 1], &[], geometry, MAPS);
        assert_eq!(empty, Err(QuantError::Empty));
        let maps = MapShape {
            channels: 0,
            ..MAPS
        };
        let empty = conv2d([1, 0, 1, 1], &[], geometry, maps);
        assert_eq!(empty, Err(QuantError::Empty));
    }

    /// Each would pass as a small one if it wrapped.
    #[test]
    fn sizes_that_overflow_are_refused() {
        let geometry = Conv2dGeometry::default();
        let huge = 1 << (usize::BITS - 10);
        let kernel = Conv2dGeometry {
            padding: [512, 0],
            ..geometry
        };
        let border = MapShape {
            border: [512, 0],
            ..MAPS
        };
        for (shape, geometry, maps, what) in [
            ([huge, 1, 1024, 1], kernel, border, "weights"),
            ([huge, 1, 1, 1], kernel, border, "outputs"),
        ] {
            let made = conv2d(shape, &[], geometry, maps);
            assert!(
                matches!(made, Err(QuantError::Shape(ShapeError::TooLarge { .. }))),
                "{what}: {made:?}"
            );
        }
    }

    /// Two sets may have as many lanes and interleave in other orders.
    #[test]
    fn constants_arranged_for_another_instruction_set_are_refused() {
        use crate::requantizer::{Channel, Stored};
        let channel = Channel {
            reach: -128..=127,
            slope: 1.0,
            code: &|acc| acc,
        };
        let codes = Stored::Signed.codes();
        let requantizer =
            Requantizer::certify_alike(&channel, 64, 0, Stored::Signed, codes).unwrap();
        let weights = Conv2dWeights {
            shape: [64, 1, 1, 1],
            codes: &[1; 64],
            bias: None,
            input_zero: 128,
        };
        let geometry = Conv2dGeometry {
            groups: 64,
            ..Conv2dGeometry::default()
        };
        let maps = MapShape {
            channels: 64,
            ..MAPS
        };
        let layers: Vec<(Conv2d, Requantizer)> = (dispatch::available().into_iter())
            .map(|set| {
                let conv = Conv2d::new(set, &weights, geometry, maps).unwrap();
                let constants = conv.arranged(requantizer.clone());
                (conv, constants)
            })
            .collect();
        for (of, (_, constants)) in layers.iter().enumerate() {
            for (by, (conv, _)) in layers.iter().enumerate() {
                let run = || {
                    let input = [130; 64 + SLACK];
                    let mut to = [0; 64];
                    let mut scratch = Scratch::default();
                    conv.codes(&input, constants, false, &mut to, &maps, &mut scratch);
                    to
                };
                match of == by {
                    true => assert_eq!(run(), [130; 64]),
                    false => assert!(std::panic::catch_unwind(run).is_err(), "{of} by {by}"),
                }
            }
        }
    }

    /// Each algorithm multiplies by them.
    #[test]
    fn steps_that_lead_nowhere_may_be_of_any_size() {
        let half = 1 << (usize::BITS - 1);
        for set in dispatch::available() {
            for (outputs, groups, algorithm) in
                [(1, 1, "pixels"), (2, 2, "depthwise"), (64, 1, "channels")]
            {
                let weights = Conv2dWeights {
                    shape: [outputs, 2 / groups, 1, 1],
                    codes: &vec![1; outputs * 2 / groups],
                    bias: None,
                    input_zero: 128,
                };
                let geometry = Conv2dGeometry {
                    stride: [1, half],
                    dilation: [half, half + 1],
                    groups,
                    ..Conv2dGeometry::default()
                };
                let maps = MapShape {
                    height: 16,
                    channels: 2,
                    ..MAPS
                };
                let conv = Conv2d::new(set, &weights, geometry, maps).unwrap();
                assert_eq!(conv.algorithm(), algorithm, "{}", set.isa());
                let mut sums = vec![0; 16 * outputs];
                let input = [[131, 132].repeat(16), vec![128; SLACK]].concat();
                conv.accumulators(&input, &mut sums, &mut Scratch::default());
                let pixel: &[i32] = if groups == 2 { &[3, 4] } else { &[7] };
                assert_eq!(sums, pixel.repeat(sums.len() / pixel.len()), "{algorithm}");
            }
        }
    }
}
