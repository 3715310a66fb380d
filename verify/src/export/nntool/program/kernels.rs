//! The call that describes a kernel: its sizes, and what is fused in it.

use reference::ops::AveragePoolGeometry;
use reference::{Conv2dGeometry, Op, PoolGeometry};

use crate::export::nntool::steps::{Constant, Kernel, Step};

/// The call, or what there is no call for.
pub(super) fn call(
    step: &Step,
    kernel: &Kernel,
    input: &[usize],
    filter: &Constant,
) -> Result<String, String> {
    let name = &step.name;
    let (first, rest) = (kernel.layers.split_first()).ok_or("a kernel without layers")?;
    let behind = Behind::new(rest)?;
    let activation = match (behind.has_relu, step.zero_point) {
        (false, _) => "KOP_NONE",
        (true, 0) => "KOP_RELU",
        // Its least code is not 0 and stands in the infos.
        (true, _) => "KOP_RELUM",
    };
    match (first, input, &filter.shape[..]) {
        (Op::Conv2d { geometry, .. }, &[channels, rows, columns], &[outputs, _, high, wide]) => {
            let pad = padding(geometry, [high, wide])?;
            let [down, right] = geometry.stride;
            let [apart_y, apart_x] = geometry.dilation;
            Ok(format!(
                "    CNN_ConvolutionPoolAct_SQ8({name:?}, 0, BIAS_BYTES, SCALE_BYTES,\n        \
                 {channels}, {outputs}, {columns}, {rows},\n        \
                 KOP_CONV, {wide}, {high}, {apart_x}, {apart_y}, {right}, {down}, {pad},\n        \
                 {}, {activation});\n",
                behind.pool
            ))
        }
        (Op::Linear { .. }, _, &[outputs, inputs]) if behind.pool == NO_POOL => Ok(format!(
            "    CNN_LinearAct_SQ8({name:?}, 0, BIAS_BYTES, SCALE_BYTES,\n        \
             {inputs}, {outputs}, KOP_LINEAR, {activation});\n"
        )),
        _ => Err(format!("a kernel from {input:?} to {:?}", step.shape)),
    }
}

/// What comes behind a filter in its kernel.
struct Behind {
    pool: String,
    has_relu: bool,
}

/// A macro of the settings.
const NO_POOL: &str = "NO_POOL";

impl Behind {
    /// A kernel has one pool and one activation, which it applies last; a maximum and a ReLU may
    /// change places.
    fn new(layers: &[Op<()>]) -> Result<Self, String> {
        let (mut pool, mut has_relu) = (NO_POOL.to_owned(), false);
        for layer in layers {
            match layer {
                Op::Relu if !has_relu => has_relu = true,
                Op::MaxPool2d(window) if pool == NO_POOL => {
                    pool = pooling("KOP_MAXPOOL", window)?;
                }
                Op::AveragePool2d(AveragePoolGeometry { window, .. })
                    if pool == NO_POOL && !has_relu =>
                {
                    pool = pooling("KOP_AVGPOOL", window)?;
                }
                _ => return Err("a kernel with this sequence of layers".into()),
            }
        }
        Ok(Self { pool, has_relu })
    }
}

fn pooling(operator: &str, window: &PoolGeometry) -> Result<String, String> {
    let PoolGeometry {
        kernel: [high, wide],
        stride: [down, right],
        padding,
    } = window;
    match padding {
        // The device takes 0 for what is outside, which may not be its zero point.
        [0, 0] => Ok(format!(
            "{operator}, {wide}, {high}, 1, 1, {right}, {down}, 0"
        )),
        _ => Err(format!("a pool with padding {padding:?}")),
    }
}

/// Whether a convolution is padded: the AutoTiler knows no padding and that which keeps the size
/// of a map.
fn padding(geometry: &Conv2dGeometry, kernel: [usize; 2]) -> Result<u8, String> {
    let Conv2dGeometry {
        stride,
        padding,
        dilation,
        groups,
    } = *geometry;
    if groups != 1 {
        return Err(format!("a convolution in {groups} groups"));
    }
    let keeps = |axis: usize| 2 * padding[axis] == dilation[axis] * (kernel[axis] - 1);
    match padding {
        [0, 0] => Ok(0),
        // With a stride it would depend on the side on which the odd one goes.
        _ if stride == [1, 1] && keeps(0) && keeps(1) => Ok(1),
        _ => Err(format!(
            "padding {padding:?} of a convolution with kernel {kernel:?}, stride {stride:?} and dilation {dilation:?}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::nntool::steps::Kind;
    use crate::export::nntool::tensors::Elements;
    use rstest::rstest;

    fn conv(change: impl FnOnce(&mut Conv2dGeometry)) -> Op<()> {
        let mut geometry = Conv2dGeometry::default();
        change(&mut geometry);
        Op::Conv2d {
            geometry,
            weights: (),
        }
    }

    fn window(padding: usize) -> PoolGeometry {
        PoolGeometry {
            kernel: [3, 2],
            stride: [4, 5],
            padding: [padding, 0],
        }
    }

    fn max(padding: usize) -> Op<()> {
        Op::MaxPool2d(window(padding))
    }

    fn mean() -> Op<()> {
        Op::AveragePool2d(AveragePoolGeometry {
            window: window(0),
            count_include_pad: true,
        })
    }

    fn constant(shape: &[usize]) -> Constant {
        Constant {
            stem: "_c".into(),
            shape: shape.to_vec(),
            values: Elements::Int8(Vec::new()),
        }
    }

    /// Of a map [2, 20, 30] with a window of 3 by 5, without what is the same in all.
    fn said(layers: Vec<Op<()>>, zero_point: i32) -> Result<String, String> {
        let step = Step {
            name: "S3__c".into(),
            scale: 1.0,
            zero_point,
            shape: vec![7],
            kind: Kind::Input,
        };
        let (weights, input) = match layers[0] {
            Op::Linear { .. } => (constant(&[7, 1200]), vec![2, 20, 30]),
            _ => (constant(&[7, 2, 3, 5]), vec![2, 20, 30]),
        };
        let kernel = Kernel {
            node: "_c".into(),
            step: 3,
            input: 0,
            layers,
            weighted: 0,
            scaling: [(); 3].map(|()| constant(&[7])),
        };
        let text = call(&step, &kernel, &input, &weights)?;
        let (_, sizes) = text.split_once("SCALE_BYTES,").unwrap();
        Ok(sizes.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    #[rstest]
    #[case(vec![conv(|_| {})], 0, "2, 7, 30, 20, KOP_CONV, 5, 3, 1, 1, 1, 1, 0, NO_POOL, KOP_NONE);")]
    #[case(vec![conv(|g| (g.stride, g.dilation) = ([2, 3], [4, 5])), Op::Relu], -128, "2, 7, 30, 20, KOP_CONV, 5, 3, 5, 4, 3, 2, 0, NO_POOL, KOP_RELUM);")]
    #[case(vec![conv(|g| g.padding = [1, 2]), Op::Relu], 0, "2, 7, 30, 20, KOP_CONV, 5, 3, 1, 1, 1, 1, 1, NO_POOL, KOP_RELU);")]
    #[case(vec![conv(|g| (g.padding, g.dilation) = ([2, 2], [2, 1])), max(0), Op::Relu], 0, "2, 7, 30, 20, KOP_CONV, 5, 3, 1, 2, 1, 1, 1, KOP_MAXPOOL, 2, 3, 1, 1, 5, 4, 0, KOP_RELU);")]
    #[case(vec![conv(|_| {}), Op::Relu, max(0)], 5, "2, 7, 30, 20, KOP_CONV, 5, 3, 1, 1, 1, 1, 0, KOP_MAXPOOL, 2, 3, 1, 1, 5, 4, 0, KOP_RELUM);")]
    #[case(vec![conv(|_| {}), mean()], 5, "2, 7, 30, 20, KOP_CONV, 5, 3, 1, 1, 1, 1, 0, KOP_AVGPOOL, 2, 3, 1, 1, 5, 4, 0, KOP_NONE);")]
    #[case(vec![Op::Linear { weights: () }, Op::Relu], -128, "1200, 7, KOP_LINEAR, KOP_RELUM);")]
    fn columns_stand_before_rows(
        #[case] layers: Vec<Op<()>>,
        #[case] zero_point: i32,
        #[case] expected: &str,
    ) {
        assert_eq!(said(layers, zero_point), Ok(expected.to_owned()));
    }

    #[rstest]
    #[case(vec![conv(|g| g.groups = 2)], "a convolution in 2 groups")]
    #[case(vec![conv(|g| g.padding = [2, 2])], "padding [2, 2] of a convolution with kernel [3, 5], stride [1, 1] and dilation [1, 1]")]
    #[case(vec![conv(|g| (g.padding, g.stride) = ([1, 2], [2, 1]))], "padding [1, 2] of a convolution with kernel [3, 5], stride [2, 1] and dilation [1, 1]")]
    #[case(vec![conv(|_| {}), max(1)], "a pool with padding [1, 0]")]
    #[case(vec![conv(|_| {}), Op::Relu, mean()], "a kernel with this sequence of layers")]
    #[case(vec![conv(|_| {}), max(0), max(0)], "a kernel with this sequence of layers")]
    #[case(vec![conv(|_| {}), Op::Relu, Op::Relu], "a kernel with this sequence of layers")]
    #[case(vec![conv(|_| {}), Op::LogSoftmax], "a kernel with this sequence of layers")]
    #[case(vec![Op::Linear { weights: () }, max(0)], "a kernel from [2, 20, 30] to [7]")]
    #[case(vec![Op::Relu], "a kernel from [2, 20, 30] to [7]")]
    fn what_has_no_call_is_named(#[case] layers: Vec<Op<()>>, #[case] expected: &str) {
        assert_eq!(said(layers, 0), Err(expected.to_owned()));
    }
}
