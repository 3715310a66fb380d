//! A saved network is loaded back exactly, and nothing else is believed.

use fixtures::scheme::SchemeFixtures;
use fixtures::{Fixtures, ImageSet, NetworkFixture};
use half::{bf16, f16};
use proptest::prelude::*;
use quant::affine::{AffineNetwork, AffineWeights, Calibration};
use quant::scheme::{Grid, QuantParams};
use quant::{QuantError, Scale};
use reference::ops::AveragePoolGeometry;
use reference::{Conv2dGeometry, InputSpec, Layer, Network, Op, PoolGeometry, Tensor, Weights};
use rstest::rstest;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;
use verify::model_file::{FloatFormat, ModelFileError, load, load_float, save, save_float};

#[rstest]
fn every_scheme_comes_back(#[values("lab-bias", "lenet5-mnist", "mlp-mnist")] name: &str) {
    let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
    let float = NetworkFixture::load(&fixtures, name).unwrap();
    let images = ImageSet::load(&fixtures, &float.data).unwrap();
    let input = float.network.input().normalize(&images.calibration.head(4));
    let calibration = Calibration::run(&float.network, &input).unwrap();
    let schemes = SchemeFixtures::load(&fixtures, name).unwrap().schemes;
    assert!(schemes.len() > 25);
    for scheme in schemes {
        let ranges = calibration.ranges(&scheme.scheme).unwrap();
        let network = AffineNetwork::quantize(&float.network, &ranges, scheme.scheme).unwrap();
        let saved = save(&network).unwrap();
        assert_eq!(load(&saved.bytes).unwrap(), network, "{}", scheme.name);
        let bits = scheme.scheme.weights.grid.bits as usize;
        let weights: usize = (network.network().weighted())
            .map(|(_, w)| (w.codes.data().len() * bits).div_ceil(8))
            .sum();
        let others = (network.network().weighted())
            .map(|(_, w)| 8 * w.params.len() + 4 * w.bias.as_ref().map_or(0, Vec::len));
        assert_eq!(saved.parameters, weights + others.sum::<usize>());
        assert!(saved.bytes.len() > saved.parameters);
    }
}

const BYTE: Grid = Grid {
    bits: 8,
    signed: true,
    narrow: false,
};

fn params(scale: f64, zero_point: i32, grid: Grid) -> QuantParams {
    QuantParams {
        scale: Scale::new(scale).unwrap(),
        zero_point,
        grid,
    }
}

/// Every operator, three bits, a scale for each channel, a bias beyond int32.
fn small() -> AffineNetwork {
    let three = Grid { bits: 3, ..BYTE };
    let input = params(0.5, -3, BYTE);
    let between = params(0.25, 7, BYTE);
    let conv = AffineWeights::new(
        Tensor::new(&[2, 1, 2, 2], vec![-4, 3, 0, 1, 2, -1, -4, 3]).unwrap(),
        vec![params(0.125, 1, three), params(2.0, -4, three)],
        Some(vec![5, -(1 << 40)]),
        &input,
        between,
    );
    let linear = AffineWeights::new(
        Tensor::new(&[2, 2], vec![1, -2, 3, -4]).unwrap(),
        vec![params(0.75, 0, three)],
        Some(vec![100, -100]),
        &between,
        params(1.0, 0, BYTE),
    );
    let window = PoolGeometry {
        kernel: [2, 2],
        stride: [2, 2],
        padding: [0, 0],
    };
    let ops = [
        (
            "conv",
            Op::Conv2d {
                geometry: Conv2dGeometry {
                    stride: [1, 1],
                    padding: [1, 1],
                    dilation: [2, 2],
                    groups: 1,
                },
                weights: conv,
            },
        ),
        ("relu", Op::Relu),
        ("max", Op::MaxPool2d(window)),
        (
            "mean",
            Op::AveragePool2d(AveragePoolGeometry {
                window: PoolGeometry {
                    kernel: [4, 4],
                    padding: [1, 1],
                    ..window
                },
                count_include_pad: true,
            }),
        ),
        ("flatten", Op::Flatten),
        ("linear", Op::Linear { weights: linear }),
    ];
    let layers = ops.map(|(name, op)| Layer {
        name: name.into(),
        op,
    });
    let input_spec = InputSpec {
        shape: [1, 4, 4],
        mean: 0.5,
        std: 0.25,
    };
    AffineNetwork::new(
        Network::new("small", input_spec, layers.into()).unwrap(),
        input,
    )
    .unwrap()
}

#[test]
fn every_operator_and_a_wide_bias_come_back() {
    let network = small();
    let bytes = save(&network).unwrap().bytes;
    assert_eq!(load(&bytes).unwrap(), network);
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("conv.bias").unwrap().dtype(), Dtype::I64);
    assert_eq!(file.tensor("linear.bias").unwrap().dtype(), Dtype::I32);
}

#[test]
fn no_beginning_of_a_file_is_a_file() {
    let bytes = save(&small()).unwrap().bytes;
    for end in 0..bytes.len() {
        assert!(load(&bytes[..end]).is_err(), "{end} bytes");
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(load(&longer).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is read of a damaged file is an error, or a network that can be run and saved.
    #[test]
    fn damage_is_an_error_or_another_network(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = save(&small()).unwrap().bytes;
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(network) = load(&bytes) {
            prop_assert_eq!(load(&save(&network).unwrap().bytes).unwrap(), network.clone());
            let images = Tensor::new(&[1, 1, 4, 4], vec![1.0; 16]).unwrap();
            network.trace(&images).unwrap();
        }
    }
}

/// The file with its description and tensors changed.
fn changed(
    description: impl Fn(String) -> Option<String>,
    tensors: impl Fn(&str, Dtype, Vec<u8>) -> Option<(Dtype, Vec<u8>)>,
) -> Result<AffineNetwork, ModelFileError> {
    let bytes = save(&small()).unwrap().bytes;
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let text = header.metadata().as_ref().unwrap()["karat"].clone();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let kept: Vec<(String, Dtype, Vec<u8>)> = (file.tensors().into_iter())
        .filter_map(|(name, tensor)| {
            let (dtype, data) = tensors(&name, tensor.dtype(), tensor.data().to_vec())?;
            Some((name, dtype, data))
        })
        .collect();
    let views = kept.iter().map(|(name, dtype, data)| {
        let shape = vec![data.len() * 8 / dtype.bitsize()];
        (name.as_str(), TensorView::new(*dtype, shape, data).unwrap())
    });
    let metadata = description(text).map(|text| HashMap::from([("karat".to_owned(), text)]));
    load(&safetensors::serialize(views, metadata).unwrap())
}

fn described(from: &str, to: &str) -> String {
    let replace = |text: String| {
        assert!(text.contains(from), "{text}");
        Some(text.replacen(from, to, 1))
    };
    changed(replace, |_, dtype, data| Some((dtype, data)))
        .unwrap_err()
        .to_string()
}

#[rstest]
#[case(r#""format":1"#, r#""format":2"#, "format 2, expected 1")]
#[case(r#""format":1"#, r#""format":1,"more":0"#, "unknown field `more`")]
#[case(
    r#""std":1048576000"#,
    r#""std":0"#,
    "mean 0.5 and std 0 normalize nothing"
)]
#[case(
    r#""mean":1056964608"#,
    r#""mean":2143289344"#,
    "mean NaN and std 0.25"
)]
#[case(r#""input_shape":[1,4,4]"#, r#""input_shape":[3,4,4]"#, "conv")]
#[case(
    r#""scale":1056964608"#,
    r#""scale":0"#,
    "a scale must be positive and finite"
)]
#[case(r#""scale":1056964608"#, r#""scale":2139095040"#, "got inf")]
#[case(
    r#""zero_point":-3"#,
    r#""zero_point":128"#,
    "layer input: zero point 128 is none of the codes -128 to 127"
)]
#[case(
    r#""zero_point":7"#,
    r#""zero_point":-129"#,
    "layer conv: zero point -129"
)]
#[case(
    r#""bias":true"#,
    r#""bias":false"#,
    "tensor conv.bias: expected a layer of the description that has it"
)]
#[case(r#""bits":3"#, r#""bits":0"#, "0 bits")]
#[case(r#""bits":3"#, r#""bits":4000000000"#, "4000000000 bits")]
#[case(
    r#""bits":3,"signed":true,"narrow":false"#,
    r#""bits":3,"signed":true,"narrow":true"#,
    "tensor conv.weight"
)]
#[case(
    r#""shape":[2,2]"#,
    r#""shape":[2,3]"#,
    "tensor linear.weight: expected [2, 3] codes of 3 bits"
)]
#[case(
    r#""shape":[2,2]"#,
    r#""shape":[4611686018427387904,4]"#,
    "tensor linear.weight"
)]
#[case(r#""shape":[2,2]"#, r#""shape":[]"#, "tensor linear.weight")]
#[case(r#""shape":[2,2]"#, r#""shape":[4,1]"#, "expected 4 codes")]
#[case(r#""name":"linear""#, r#""name":"last""#, "last.weight")]
#[case(
    r#""name":"relu""#,
    r#""name":"conv""#,
    "an earlier layer has this name"
)]
fn a_description_that_does_not_fit_is_named(
    #[case] from: &str,
    #[case] to: &str,
    #[case] expected: &str,
) {
    let message = described(from, to);
    assert!(message.contains(expected), "{message}");
}

#[test]
fn tensors_that_do_not_fit_are_named() {
    let same = |text: String| Some(text);
    let keep = |_: &str, dtype: Dtype, data: Vec<u8>| Some((dtype, data));
    let error = changed(|_| None, keep).unwrap_err().to_string();
    assert_eq!(error, "the metadata entry \"karat\": is missing");

    let without = |gone: &'static str| {
        changed(same, move |name, dtype, data| {
            (name != gone).then_some((dtype, data))
        })
    };
    for gone in [
        "conv.weight",
        "conv.scale",
        "conv.zero_point",
        "linear.bias",
    ] {
        let error = without(gone).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("tensor {gone}: expected [")),
            "{error}"
        );
        assert!(error.ends_with(", got none"), "{error}");
    }
    let with = |at: &'static str, dtype: Dtype, data: &'static [u8]| {
        let change = move |name: &str, old: Dtype, bytes: Vec<u8>| match name == at {
            true => Some((dtype, data.to_vec())),
            false => Some((old, bytes)),
        };
        changed(same, change).unwrap_err()
    };
    for (at, dtype, data, expected) in [
        (
            "linear.weight",
            Dtype::I8,
            &[0u8; 2][..],
            "tensor linear.weight: expected [U8], got I8",
        ),
        (
            "linear.weight",
            Dtype::U8,
            &[0; 3],
            "tensor linear.weight: expected [2, 2] codes of 3 bits in 2 bytes, got 3",
        ),
        (
            "linear.bias",
            Dtype::I32,
            &[0; 4],
            "tensor linear.bias: expected 2 codes, got 1",
        ),
        (
            "linear.scale",
            Dtype::F32,
            &[0; 4],
            "a scale must be positive and finite",
        ),
        (
            "linear.scale",
            Dtype::F32,
            &[],
            "tensor linear.scale: expected 1 or 2 scales, got 0",
        ),
        (
            "linear.scale",
            Dtype::F32,
            &[0; 12],
            "tensor linear.scale: expected 1 or 2 scales, got 3",
        ),
        (
            "linear.zero_point",
            Dtype::I32,
            &[0; 8],
            "tensor linear.zero_point: expected 1, as there are scales, got 2",
        ),
        (
            "linear.zero_point",
            Dtype::I32,
            &[4, 0, 0, 0],
            "layer linear: zero point 4",
        ),
    ] {
        let error = with(at, dtype, data).to_string();
        assert!(error.contains(expected), "{error}");
    }
    let huge = with("conv.bias", Dtype::I64, &[0x7f; 16]);
    assert!(matches!(
        huge,
        ModelFileError::Quant(QuantError::Layer { source, .. })
            if matches!(*source, QuantError::AccumulatorOverflow { channel: 0, bits: 54, .. })
    ));
}

#[test]
fn a_description_without_weights_is_no_network() {
    let none = |text: String| {
        let (before, _) = text.split_once("\"layers\":").unwrap();
        Some(format!("{before}\"layers\":[]}}"))
    };
    let error = changed(none, |_, _, _| None).unwrap_err().to_string();
    assert!(error.contains("no layer has weights"), "{error}");
}

fn float<E: FloatFormat>(network: &Network<Weights<f32>>, narrow: impl Fn(f32) -> f32) {
    let saved = save_float::<E>(network).unwrap();
    let loaded = load_float::<E>(&saved.bytes, network).unwrap();
    for ((name, got), (_, stored)) in loaded.weighted().zip(network.weighted()) {
        let expected: Vec<f32> = stored.weight.data().iter().map(|&w| narrow(w)).collect();
        assert_eq!(got.weight.data(), expected, "{name}");
        let expected: Option<Vec<f32>> =
            (stored.bias.as_ref()).map(|bias| bias.iter().map(|&b| narrow(b)).collect());
        assert_eq!(got.bias, expected, "{name}");
    }
    let error = load_float::<E>(&saved.bytes[..saved.bytes.len() - 1], network);
    assert!(error.is_err());
}

#[test]
fn float_parameters_come_back_in_their_own_type() {
    let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
    let network = NetworkFixture::load(&fixtures, "lab-bias").unwrap().network;
    float::<f32>(&network, |x| x);
    float::<f16>(&network, |x| f16::from_f32(x).to_f32());
    float::<bf16>(&network, |x| bf16::from_f32(x).to_f32());
    let saved = save_float::<f16>(&network).unwrap();
    let error = load_float::<bf16>(&saved.bytes, &network)
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "tensor conv1.weight: expected BF16 [6, 3, 5, 5], got F16 [6, 3, 5, 5]"
    );
    let other = NetworkFixture::load(&fixtures, "mlp-mnist")
        .unwrap()
        .network;
    let error = load_float::<f16>(&saved.bytes, &other)
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "tensor fc1.weight: expected F16 [128, 784], got F16 [120, 400]"
    );
}

#[test]
fn a_tensor_has_one_axis() {
    let bytes = save(&small()).unwrap().bytes;
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let views = file.tensors().into_iter().map(|(name, tensor)| {
        let (dtype, data) = (tensor.dtype(), tensor.data());
        let count = data.len() * 8 / dtype.bitsize();
        let shape = match name.as_str() {
            "linear.bias" => vec![count, 1],
            _ => vec![count],
        };
        (name, TensorView::new(dtype, shape, data).unwrap())
    });
    let metadata = header.metadata().clone();
    let error = load(&safetensors::serialize(views, metadata).unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "tensor linear.bias: expected one axis, got [2, 1]"
    );
}
