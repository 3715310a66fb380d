//! Every kernel of integer networks, of every instruction set of this CPU, gives the golden
//! interpreter's integers, and PyTorch's on the committed networks.

use std::collections::BTreeSet;

use fixtures::{Fixtures, ImageSet, NETWORKS, NetworkFixture};
use kernels::prove::{Kind, case, chain};
use kernels::{Executor, dispatch};
use quant::{QuantError, QuantNetwork, QuantWeights, Rounding, Scale};
use reference::{Op, ShapeError, Tensor};
use rstest::rstest;

/// A thousand cases, which must have had in them what the kind is for.
#[rstest]
#[case(Kind::Conv2d, &[
    "channels", "weights all -128", "inputs all -128", "pixels in, padded", "pixels out",
])]
#[case(Kind::FewChannels, &["pixels", "channels"])]
#[case(Kind::Depthwise, &["depthwise", "weights all -128", "inputs all -128"])]
#[case(Kind::Fused, &["fused max-pool", "pixels", "channels", "by a division", "by the formula"])]
#[case(Kind::Linear, &["linear", "by a multiplier", "by a division", "ReLU"])]
#[case(Kind::Pools, &["max-pool", "average pool", "ReLU", "pixels in", "pixels out"])]
#[case(Kind::Network, &["linear", "by a multiplier", "fused max-pool"])]
#[case(Kind::Affine, &[
    "bytes, certified", "bytes, formula", "words, certified", "words, formula", "two parts",
    "channels, per-channel", "pixels, per-channel", "depthwise, per-channel",
    "linear, per-channel", "words, per-channel",
])]
fn kernels_match_golden(#[case] kind: Kind, #[case] expected: &[&str]) {
    let sets = dispatch::available();
    let mut covered = BTreeSet::new();
    let mut cases = 0;
    for seed in 0.. {
        match case(kind, seed, &sets) {
            Ok(Some(had)) => {
                cases += 1;
                covered.extend(had);
            }
            Ok(None) => {}
            Err(mismatch) => panic!("{mismatch}"),
        }
        if cases == 1000 {
            break;
        }
    }
    println!("{kind:?}: {covered:?}");
    for what in expected {
        assert!(covered.contains(what), "{kind:?} never had {what}");
    }
    if !matches!(kind, Kind::Pools | Kind::Affine) {
        for what in ["ties", "both clamps", "other roundings"] {
            assert!(covered.contains(what), "{kind:?} never had {what}");
        }
    }
}

/// All pairs of operands: 256 rows of one feature, 256 outputs.
#[test]
fn every_product_of_two_codes_is_right() {
    let codes: Vec<i8> = (i8::MIN..=i8::MAX).collect();
    let weights = QuantWeights {
        weight: Tensor::new(&[256, 1], codes.clone()).unwrap(),
        bias: None,
        weight_scale: Scale::new(1.0).unwrap(),
        output_scale: Scale::new(128.0).unwrap(),
    };
    let network = network(
        [1, 1, 1],
        vec![Op::Flatten, Op::Linear { weights }],
        Rounding::TiesToEven,
    );
    let network = network.unwrap();
    let input = Tensor::new(&[256, 1, 1, 1], codes.clone()).unwrap();
    for set in dispatch::available() {
        let trace = Executor::new(&network, set)
            .unwrap()
            .trace_codes(input.clone());
        let acc = trace.unwrap().layers[1].accumulators.clone().unwrap();
        let products = codes
            .iter()
            .flat_map(|&a| codes.iter().map(move |&w| i32::from(a) * i32::from(w)));
        assert!(acc.data().iter().copied().eq(products), "{}", set.isa());
    }
}

/// What the kernel of the CPU's list says it has must have run: a detection that is wrong, or a
/// set that was forgotten, is no quiet skip.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn every_instruction_set_that_the_system_lists_runs() {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap();
    let flags: BTreeSet<&str> = (info.lines())
        .find(|line| line.starts_with("flags"))
        .unwrap()
        .split_whitespace()
        .collect();
    let expected = [
        ("avx2", vec!["avx2"]),
        ("avx_vnni", vec!["avx2", "avx_vnni"]),
        (
            "avx512_vnni",
            vec!["avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512_vnni"],
        ),
    ];
    let available: BTreeSet<&str> = (dispatch::available().iter())
        .map(|set| set.isa().name())
        .collect();
    println!("ran: {available:?}");
    for (isa, needs) in expected {
        let listed = needs.iter().all(|flag| flags.contains(flag));
        assert_eq!(available.contains(isa), listed, "{isa}");
    }
    assert!(available.contains("portable"));
}

#[test]
fn networks_match_pytorch_on_traced_images() {
    let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
    for name in NETWORKS {
        let fixture = NetworkFixture::load(&fixtures, name).unwrap();
        let images = ImageSet::load(&fixtures, &fixture.data).unwrap();
        let input = fixture.network.input().normalize(&images.pixels.head(16));
        for set in dispatch::available() {
            let executor = Executor::new(&fixture.int8.network, set).unwrap();
            let trace = executor.trace(&input).unwrap();
            for (layer, golden) in trace.layers.iter().zip(&fixture.int8.layers) {
                assert_eq!(
                    layer.accumulators,
                    golden.accumulators,
                    "{name}, {}, {}",
                    layer.name,
                    set.isa()
                );
                if let fixtures::Golden::Values(codes) = &golden.codes {
                    assert_eq!(&layer.codes, codes, "{name}, {}, {}", layer.name, set.isa());
                }
            }
            let last = &trace.layers.last().unwrap().codes;
            assert_eq!(&executor.forward(&input).unwrap(), last);
            let algorithms = executor.algorithms();
            assert!(!algorithms.contains(&"by the formula"), "{algorithms:?}");
            assert_eq!(last.data(), fixture.int8.output_codes.head(16).data());
        }
    }
}

/// Any number of images, on any number of threads, in either order of codes.
#[test]
fn images_are_independent_of_each_other() {
    use kernels::executor::Order;
    let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
    for name in ["lab", "mlp-mnist"] {
        let fixture = NetworkFixture::load(&fixtures, name).unwrap();
        let images = ImageSet::load(&fixtures, &fixture.data).unwrap();
        let input = fixture.network.input().normalize(&images.pixels.head(60));
        let codes = fixture.int8.network.input_codes(&input);
        let expected = fixture.int8.output_codes.head(60);
        let [c, h, w] = fixture.network.input().shape;
        for set in dispatch::available() {
            let executor = Executor::new(&fixture.int8.network, set).unwrap();
            for (count, threads) in [(1, 1), (5, 1), (24, 1), (25, 2), (60, 2), (60, 3), (2, 3)] {
                let mut sessions: Vec<_> = (0..threads).map(|_| executor.session()).collect();
                let by_channel = &codes.data()[..count * c * h * w];
                let by_pixel: Vec<i8> = (0..by_channel.len())
                    .map(|at| {
                        let [n, y, x] = [at / (c * h * w), at / (c * w) % h, at / c % w];
                        by_channel[((n * c + at % c) * h + y) * w + x]
                    })
                    .collect();
                for (order, codes) in [(Order::Nchw, by_channel), (Order::Nhwc, &by_pixel)] {
                    let mut out = vec![1; count * 10];
                    executor.run(&mut sessions, codes, order, &mut out);
                    assert_eq!(out, expected.data()[..count * 10], "{name}, {}", set.isa());
                }
            }
        }
    }
}

fn network(
    input: [usize; 3],
    layers: Vec<Op<QuantWeights>>,
    rounding: Rounding,
) -> Result<QuantNetwork, QuantError> {
    QuantNetwork::new(chain(input, layers)?, Scale::new(1.0)?, rounding)
}

fn linear_network(bias: i32) -> Result<QuantNetwork, QuantError> {
    let weights = QuantWeights {
        weight: Tensor::new(&[1, 1], vec![1]).unwrap(),
        bias: Some(vec![bias]),
        weight_scale: Scale::new(1.0).unwrap(),
        output_scale: Scale::new(1.0).unwrap(),
    };
    network(
        [1, 1, 1],
        vec![Op::Relu, Op::Flatten, Op::Linear { weights }],
        Rounding::TiesToEven,
    )
}

#[test]
fn what_the_network_proves_the_executor_accepts() {
    // After a ReLU codes are at most 127: this bias fits by one, and not by 128.
    let network = linear_network(i32::MAX - 127).unwrap();
    for set in dispatch::available() {
        let executor = Executor::new(&network, set).unwrap();
        let input = Tensor::new(&[1, 1, 1, 1], vec![127i8]).unwrap();
        let trace = executor.trace_codes(input).unwrap();
        assert_eq!(
            trace.layers[2].accumulators.as_ref().unwrap().data(),
            [i32::MAX]
        );
    }
    assert!(matches!(
        linear_network(i32::MAX - 126),
        Err(QuantError::Layer { .. })
    ));
}

#[test]
fn wrong_images_are_an_error() {
    let network = linear_network(0).unwrap();
    let executor = Executor::new(&network, dispatch::portable()).unwrap();
    for shape in [&[1, 1, 1, 2][..], &[1, 1, 1], &[2], &[]] {
        let images = Tensor::full(shape, 0.0f32).unwrap();
        assert!(
            matches!(executor.forward(&images), Err(ShapeError::Shapes { .. })),
            "{shape:?}"
        );
        assert!(
            matches!(
                executor.trace(&images),
                Err(QuantError::Shape(ShapeError::Shapes { .. }))
            ),
            "{shape:?}"
        );
    }
    let none = Tensor::full(&[0, 1, 1, 1], 0.0f32).unwrap();
    assert_eq!(executor.forward(&none).unwrap().shape(), [0, 1]);
}
