//! An integer network against what PyTorch computed of it.

use fixtures::scheme::{ParamsGolden, SchemeFixture};
use fixtures::store::sha256;
use quant::affine::{AffineNetwork, ExactInFloats};
use quant::scheme::QuantParams;
use reference::Tensor;

/// How many images were traced.
pub(crate) const TRACED: usize = 16;

pub(crate) fn hash<E: Copy, const B: usize>(
    values: &Tensor<E>,
    bytes: impl Fn(E) -> [u8; B],
) -> String {
    sha256(
        &values
            .data()
            .iter()
            .flat_map(|&v| bytes(v))
            .collect::<Vec<u8>>(),
    )
}

fn same(params: &QuantParams, golden: &ParamsGolden, what: &str) {
    let got = (params.scale.get(), params.zero_point);
    assert_eq!(got, (golden.scale, golden.zero_point), "{what}");
}

/// Scales, zero points and codes, and all that the network computes of the traced images.
pub(crate) fn assert_integers(
    network: &AffineNetwork,
    golden: &SchemeFixture,
    traced: &Tensor<f32>,
    name: &str,
) {
    assert_eq!(traced.shape()[0], TRACED);
    let at = |what: &str| format!("{name}, {}, {what}", golden.name);
    same(network.input(), &golden.input, &at("input"));
    let layers: Vec<_> = network.network().weighted().collect();
    assert_eq!(layers.len(), golden.layers.len());
    for ((layer, got), golden) in layers.iter().zip(&golden.layers) {
        assert_eq!(*layer, golden.name);
        same(&got.output, &golden.output, &at(layer));
        assert_eq!(got.params.len(), golden.weights.len());
        for (params, golden) in got.params.iter().zip(&golden.weights) {
            same(params, golden, &at(layer));
        }
        assert_eq!(
            hash(&got.codes, i32::to_le_bytes),
            golden.weight_codes,
            "{}",
            at(layer)
        );
        let bias = got.bias.as_ref().map(|bias| {
            let bias = Tensor::new(&[bias.len()], bias.clone()).unwrap();
            hash(&bias, i64::to_le_bytes)
        });
        assert_eq!(bias, golden.bias_codes, "{}", at(layer));
    }
    let trace = network.trace(traced).unwrap();
    assert_eq!(
        hash(&trace.input, i32::to_le_bytes),
        golden.input_codes,
        "{}",
        at("input")
    );
    assert_eq!(trace.layers.len(), golden.trace.len());
    for (got, golden) in trace.layers.iter().zip(&golden.trace) {
        assert_eq!(got.name, golden.name);
        let accumulators = got
            .accumulators
            .as_ref()
            .map(|acc| hash(acc, i64::to_le_bytes));
        assert_eq!(accumulators, golden.accumulators, "{}", at(&got.name));
        assert_eq!(
            hash(&got.codes, i32::to_le_bytes),
            golden.codes,
            "{}",
            at(&got.name)
        );
    }
}

/// The output's codes for all images, by the fast executor.
pub(crate) fn output_codes(network: AffineNetwork, images: &Tensor<f32>) -> Tensor<i32> {
    let last = network.network().weighted().last().unwrap().1.output;
    let fast = ExactInFloats::new(network);
    (fast.forward(images).unwrap()).map(|q| q as i32 + last.zero_point)
}
