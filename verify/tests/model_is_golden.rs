//! A model's numbers are PyTorch's where there are any, and the golden interpreter's elsewhere.

use fixtures::network::Golden;
use quant::QuantNetwork;
use quant::affine::{AffineNetwork, Calibration};
use reference::{Op, Tensor};
use rstest::rstest;
use verify::compare::exact;
use verify::model::{GOLDEN, MODELS, Model, ModelScheme};

use crate::common::load_traced;

#[rstest]
#[case("lab")]
#[case("lab-bias")]
#[case("lenet5-cifar10")]
#[case("lenet5-mnist")]
#[case("mlp-mnist")]
fn every_node_is_golden(#[case] name: &str) {
    let (fixture, images, _) = load_traced(name);
    let pixels = images.pixels.map(f64::from);
    for scheme in MODELS {
        let model = Model::new(&fixture, &images, scheme, GOLDEN).unwrap();
        let trace = model.trace(&pixels).unwrap();
        let mut compared = 0;
        let mut same = |node: &str, expected: Tensor<f64>| {
            let got = &trace[model.position(node).unwrap()];
            let outcome = exact(&expected, got);
            assert!(outcome.holds(), "{name}, {scheme}, {node}: {outcome}");
            compared += 1;
        };
        match scheme.affine() {
            None => {
                let golden = &fixture.int8;
                same("input", golden.input_codes.map(f64::from));
                for (layer, of) in golden.layers.iter().zip(golden.network.network().layers()) {
                    if let Some(acc) = &layer.accumulators {
                        same(&format!("{}.accumulators", of.name), acc.map(f64::from));
                    }
                    if let Golden::Values(codes) = &layer.codes {
                        same(&of.name, codes.map(f64::from));
                    }
                }
            }
            Some(affine) => {
                let float = &fixture.network;
                let calibration = float.input().normalize(&images.calibration);
                let observed = Calibration::run(float, &calibration)
                    .unwrap()
                    .ranges(&affine);
                let network = AffineNetwork::quantize(float, &observed.unwrap(), affine).unwrap();
                let golden = network
                    .trace(&float.input().normalize(&images.pixels))
                    .unwrap();
                same("input", golden.input.map(f64::from));
                for layer in golden.layers {
                    if let Some(acc) = layer.accumulators {
                        same(
                            &format!("{}.accumulators", layer.name),
                            acc.map(|acc| acc as f64),
                        );
                    }
                    same(&layer.name, layer.codes.map(f64::from));
                }
            }
        }
        let body = QuantNetwork::body(&fixture.network).unwrap();
        assert!(compared > body.layers().len(), "{compared}");
        assert_eq!(scheme == ModelScheme::MaxAbs, scheme.affine().is_none());
        assert!(!(body.layers().iter()).any(|layer| matches!(layer.op, Op::LogSoftmax)));
    }
}
