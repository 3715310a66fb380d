//! Why one file differs: hypotheses that concern it alone.

use quant::sq8::{
    Sq8Params, Sq8Scale, Sq8Weights, bias_code, multiplicative_bias, multiplier_bits, stored_bias,
};

use super::{Folder, Hypothesis, compare};
use crate::export::nntool::Release;
use crate::export::nntool::steps::{Constant, Kernel, Step};
use crate::export::nntool::tensors::Elements;

/// The same values in another order.
pub(super) fn order(basis: &Hypothesis, constant: &Constant, got: &Elements) -> Option<String> {
    let (expected, got) = (constant.values.numbers(), got.numbers());
    if let Elements::Int32(_) = constant.values {
        let swapped = expected.iter().map(|value| value.swap_bytes());
        return swapped
            .eq(got)
            .then(|| "the bytes of a value are in big-endian order".into());
    }
    let same = |sources: Vec<usize>| {
        sources
            .iter()
            .map(|&at| expected[at])
            .eq(got.iter().copied())
    };
    match constant.shape[..] {
        [outputs, inputs] => {
            if same(permuted(&[outputs, inputs], &[1, 0])) {
                return Some("the weights are in the order [in][out], as in ONNX".into());
            }
            let map = (basis.steps.kernels())
                .filter(|(_, kernel)| is_of(basis, kernel, constant))
                .find_map(|(_, kernel)| {
                    <[usize; 3]>::try_from(&basis.steps.steps[kernel.input].shape[..]).ok()
                });
            let [c, h, w] = map?;
            same(permuted(&[outputs, c, h, w], &[0, 2, 3, 1]))
                .then(|| "the columns are in the order of a map with channels last (HWC)".into())
        }
        [o, i, h, w] => {
            let orders = [
                ([0, 2, 3, 1], "[out][h][w][in], channels last (HWC)"),
                ([1, 0, 2, 3], "[in][out][h][w]"),
                ([2, 3, 1, 0], "[h][w][in][out], as in TensorFlow"),
                ([0, 1, 3, 2], "[out][in][w][h]"),
            ];
            let found = orders
                .iter()
                .find(|(axes, _)| same(permuted(&[o, i, h, w], axes)));
            found.map(|(_, name)| format!("the weights are in the order {name}"))
        }
        _ => None,
    }
}

/// Where each value of the transposed array lies.
fn permuted(shape: &[usize], axes: &[usize]) -> Vec<usize> {
    axes.iter().fold(vec![0], |starts, &axis| {
        let stride: usize = shape[axis + 1..].iter().product();
        (starts.iter())
            .flat_map(|start| (0..shape[axis]).map(move |at| start + at * stride))
            .collect()
    })
}

/// A file of another length that another release would have written.
pub(super) fn size(basis: &Hypothesis, constant: &Constant, bytes: &[u8]) -> Option<String> {
    let (_, kernel) =
        (basis.steps.kernels()).find(|(_, kernel)| kernel.scaling.last() == Some(constant))?;
    let infos = basis.layers.get(kernel.weighted)?.infos();
    let is = |infos: &[i8]| {
        infos
            .iter()
            .map(|byte| byte.cast_unsigned())
            .eq(bytes.iter().copied())
    };
    let release = match (is(&infos.bytes()), is(&infos.bytes_of_4_0())) {
        (true, _) => Release::V4_22,
        (_, true) => Release::V4_0,
        _ => return None,
    };
    Some(format!(
        "the infos of release {}: give --release {0}",
        release.name()
    ))
}

/// Biases and multipliers that follow from the scales of `model.h`, which are others than those
/// of the ranges.
pub(super) fn of_header(
    folder: &Folder,
    basis: &Hypothesis,
    constant: &Constant,
    got: &Elements,
) -> Option<String> {
    let (step, kernel) =
        (basis.steps.kernels()).find(|(_, kernel)| is_of(basis, kernel, constant))?;
    let layer = basis.layers.get(kernel.weighted)?;
    let bias = basis.biases.get(kernel.weighted)?;
    let ends = [&basis.steps.steps[kernel.input], step];
    let params = |step: &Step| {
        let (_, node) = compare::node(folder, step)?;
        Sq8Params::new(node.scale, node.zero_point.unwrap_or(step.zero_point)).ok()
    };
    let [input, output] = [params(ends[0])?, params(ends[1])?];
    let (biases, scales) = again(layer, bias, [input, output])?;
    let [scale, shift, _] = &kernel.scaling;
    let expected: Vec<i32> = match constant {
        _ if constant == scale => scales.iter().map(|of| of.scale.into()).collect(),
        _ if constant == shift => scales.iter().map(|of| of.shift as i32).collect(),
        _ => biases,
    };
    if expected != got.numbers() {
        return None;
    }
    let deviations = ends
        .iter()
        .zip([input, output])
        .filter(|(step, of)| step.scale != of.scale());
    let deviations: Vec<String> = deviations
        .map(|(step, of)| {
            let percent = 100.0 * (of.scale() / step.scale - 1.0);
            format!("{} is {:+.3} % from that of the ranges", step.name, percent)
        })
        .collect();
    Some(format!(
        "it follows from model.h, where the scale of {}",
        deviations.join(" and of ")
    ))
}

/// Whether a constant is one of a kernel's.
fn is_of(basis: &Hypothesis, kernel: &Kernel, constant: &Constant) -> bool {
    let parameters = basis.steps.parameters(kernel).into_iter().flatten();
    parameters.chain(&kernel.scaling).any(|own| own == constant)
}

/// Stored biases and multipliers of a layer between other codes.
fn again(
    layer: &Sq8Weights,
    bias: &Option<Vec<f32>>,
    [input, output]: [Sq8Params; 2],
) -> Option<(Vec<i32>, Vec<Sq8Scale>)> {
    let (mut biases, mut factors) = (Vec::new(), Vec::new());
    for (o, &scale) in layer.weight_scales.iter().enumerate() {
        let real = bias.as_ref().map_or(0.0, |bias| bias[o]);
        let code = bias_code(real, scale, &input)?;
        biases.push(stored_bias(
            code,
            layer.codes.item(o),
            scale,
            &input,
            &output,
        ));
        let factor = input.scale() * scale.wide() / output.scale();
        factors.push((factor, multiplier_bits(layer.codes.item_len(), code)));
    }
    Some((biases, multiplicative_bias(&factors).ok()?))
}
