//! The golden interpreter alone, on the committed networks and cases: exactly PyTorch's.

use fixtures::operator::CaseKind;
use fixtures::{Fixtures, Golden, ImageSet, NETWORKS, NetworkFixture, OperatorCase};
use quant::calibrator::calibrate;
use quant::{QuantNetwork, Rounding, golden};

fn open() -> Fixtures {
    Fixtures::open(Fixtures::committed_root()).unwrap()
}

#[test]
fn networks_from_the_float_weights_to_the_last_code() {
    let fixtures = open();
    for name in NETWORKS {
        let fixture = NetworkFixture::load(&fixtures, name).unwrap();
        let images = ImageSet::load(&fixtures, &fixture.data).unwrap();
        let normalize = |pixels| fixture.network.input().normalize(pixels);
        let ranges = calibrate(&fixture.network, &normalize(&images.calibration)).unwrap();
        assert_eq!(ranges.input, fixture.int8.input_range);
        assert_eq!(ranges.outputs, fixture.int8.output_ranges, "{name}");
        let network =
            QuantNetwork::quantize(&fixture.network, &ranges, Rounding::TiesToEven).unwrap();
        assert_eq!(network, fixture.int8.network, "{name}");
        assert_eq!(network.rounding(), Rounding::TiesToEven);

        let traced = normalize(&images.pixels.head(16));
        let trace = network.trace(&traced).unwrap();
        assert_eq!(trace.input, fixture.int8.input_codes);
        assert_eq!(network.input_codes(&traced), trace.input);
        assert_eq!(trace.layers.len(), fixture.int8.layers.len());
        for (layer, expected) in trace.layers.iter().zip(&fixture.int8.layers) {
            assert_eq!(
                layer.accumulators, expected.accumulators,
                "{name}, {}",
                layer.name
            );
            if let Golden::Values(codes) = &expected.codes {
                assert_eq!(&layer.codes, codes, "{name}, {}", layer.name);
            }
        }
        let output = network.forward(&traced).unwrap();
        assert_eq!(output, trace.layers.last().unwrap().codes);
        assert_eq!(output, fixture.int8.output_codes.head(16), "{name}");
        // What was reached on real images is within what was proved for all.
        for (reached, proved) in (trace.layers.iter())
            .filter_map(|layer| layer.accumulators.as_ref())
            .zip(network.accumulators())
        {
            let largest = reached
                .data()
                .iter()
                .map(|acc| i64::from(*acc).abs())
                .max()
                .unwrap();
            assert!(largest <= proved.bound);
        }
    }
}

#[test]
fn operators() {
    let fixtures = open();
    let (mut accumulators_compared, mut codes_compared) = (0, 0);
    for name in OperatorCase::names(&fixtures) {
        match OperatorCase::load(&fixtures, &name).unwrap().kind {
            CaseKind::Int8(case) => {
                let (acc, codes) =
                    golden::apply(&case.op, &case.input, Rounding::TiesToEven).unwrap();
                assert_eq!(acc, case.accumulators, "{name}");
                assert_eq!(codes, case.output, "{name}");
                accumulators_compared += acc.map_or(0, |acc| acc.data().len());
                codes_compared += codes.data().len();
            }
            CaseKind::Requantize {
                accumulators,
                output_scale,
                output,
            } => {
                let codes = golden::requantize(&accumulators, output_scale, Rounding::TiesToEven);
                assert_eq!(codes, output, "{name}");
                codes_compared += codes.data().len();
            }
            _ => {}
        }
    }
    assert!(accumulators_compared > 10_000, "{accumulators_compared}");
    assert!(codes_compared > 10_000, "{codes_compared}");
}
