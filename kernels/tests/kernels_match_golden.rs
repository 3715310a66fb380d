//! Every available kernel set gives the golden interpreter's integers: random shapes,
//! adversarial codes, every rounding; and PyTorch's on the committed networks.

use fixtures::{Fixtures, ImageSet, NETWORKS, NetworkFixture};
use kernels::{Executor, dispatch};
use proptest::prelude::*;
use quant::{QuantError, QuantNetwork, QuantWeights, Rounding, Scale};
use reference::ops::AveragePoolGeometry;
use reference::{Conv2dGeometry, InputSpec, Layer, Network, Op, PoolGeometry, ShapeError, Tensor};

/// What codes are drawn from: all of them, or the values that break kernels.
#[derive(Clone, Copy, Debug)]
enum Fill {
    Any,
    Edges,
    Constant(i8),
}

fn fill() -> impl Strategy<Value = Fill> {
    prop_oneof![
        3 => Just(Fill::Any),
        2 => Just(Fill::Edges),
        1 => prop::sample::select(vec![-128i8, -127, 0, 127]).prop_map(Fill::Constant),
    ]
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % n
    }

    fn codes(&mut self, shape: &[usize], fill: Fill) -> Tensor<i8> {
        let values = (0..shape.iter().product()).map(|_| match fill {
            Fill::Any => (self.below(256) as i16 - 128) as i8,
            Fill::Edges => [-128, -127, 0, 1, 127][self.below(5) as usize],
            Fill::Constant(code) => code,
        });
        Tensor::new(shape, values.collect()).unwrap()
    }

    fn bias(&mut self, outputs: usize) -> Vec<i32> {
        (0..outputs)
            .map(|_| self.below(200_001) as i32 - 100_000)
            .collect()
    }
}

fn rounding() -> impl Strategy<Value = Rounding> {
    prop::sample::select(Rounding::ALL.to_vec())
}

/// Power-of-two scales put accumulators on ties.
fn output_scale() -> impl Strategy<Value = f64> {
    prop_oneof![(0i32..12).prop_map(|e| f64::from(1 << e)), 0.4f64..5000.0]
}

fn one_layer(
    input: [usize; 3],
    layers: Vec<Op<QuantWeights>>,
    rounding: Rounding,
) -> Result<QuantNetwork, QuantError> {
    let layers = (layers.into_iter().enumerate())
        .map(|(i, op)| Layer {
            name: format!("layer{i}"),
            op,
        })
        .collect();
    let spec = InputSpec {
        shape: input,
        mean: 0.0,
        std: 1.0,
    };
    QuantNetwork::new(
        Network::new("random", spec, layers)?,
        Scale::new(1.0)?,
        rounding,
    )
}

/// The golden trace and that of every kernel set are the same.
fn same_trace(network: &QuantNetwork, input: &Tensor<i8>) -> Result<(), TestCaseError> {
    let expected = network.trace_codes(input.clone()).unwrap();
    let sets = dispatch::available();
    prop_assert!(!sets.is_empty(), "no kernel set ran");
    for set in sets {
        let executor = Executor::new(network, set).unwrap();
        let got = executor.trace_codes(input.clone()).unwrap();
        prop_assert_eq!(&got, &expected, "{}", set.isa());
        let codes = executor.forward_codes(input).unwrap();
        let last = &expected.layers.last().unwrap().codes;
        prop_assert_eq!(&codes, last, "{}", set.isa());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn conv2d(
        (n, i, o, groups, bias) in (1usize..3, 1usize..5, 1usize..5, 1usize..4, any::<bool>()),
        size in [1usize..12, 1..20],
        kernel in [1usize..6, 1..6],
        stride in [1usize..4, 1..4],
        padding in [0usize..4, 0..4],
        dilation in [1usize..3, 1..3],
        fills in [fill(), fill()],
        (scale, rounding, seed) in (output_scale(), rounding(), any::<u64>()),
    ) {
        let geometry = Conv2dGeometry { stride, padding, dilation, groups };
        // At least as large as the window, padding included.
        let [height, width] = [0, 1].map(|axis| {
            let reach = dilation[axis] * (kernel[axis] - 1) + 1;
            size[axis].max(reach.saturating_sub(2 * padding[axis])).max(1)
        });
        let image = [i * groups, height, width];
        let shape = [o * groups, i, kernel[0], kernel[1]];
        let mut random = Random(seed);
        let input = random.codes(&[n, image[0], image[1], image[2]], fills[0]);
        let weights = QuantWeights {
            weight: random.codes(&shape, fills[1]),
            bias: bias.then(|| random.bias(shape[0])),
            weight_scale: Scale::new(1.0).unwrap(),
            output_scale: Scale::new(scale).unwrap(),
        };
        let op = Op::Conv2d { geometry, weights };
        same_trace(&one_layer(image, vec![op], rounding).unwrap(), &input)?;
    }

    #[test]
    fn linear(
        (n, i, o, bias) in (1usize..4, 1usize..70, 1usize..40, any::<bool>()),
        fills in [fill(), fill()],
        (scale, rounding, seed) in (output_scale(), rounding(), any::<u64>()),
    ) {
        let mut random = Random(seed);
        let input = random.codes(&[n, i, 1, 1], fills[0]);
        let weights = QuantWeights {
            weight: random.codes(&[o, i], fills[1]),
            bias: bias.then(|| random.bias(o)),
            weight_scale: Scale::new(1.0).unwrap(),
            output_scale: Scale::new(scale).unwrap(),
        };
        let ops = vec![Op::Flatten, Op::Linear { weights }, Op::Relu];
        same_trace(&one_layer([i, 1, 1], ops, rounding).unwrap(), &input)?;
    }

    #[test]
    fn pools(
        (n, c) in (1usize..3, 1usize..4),
        size in [1usize..12, 1..20],
        kernel in [1usize..6, 1..6],
        stride in [1usize..4, 1..4],
        padding in [0usize..3, 0..3],
        (count_include_pad, fill, rounding, seed) in (any::<bool>(), fill(), rounding(), any::<u64>()),
    ) {
        let padding = [0, 1].map(|axis| padding[axis].min(kernel[axis] / 2));
        let window = PoolGeometry { kernel, stride, padding };
        let image = [c, size[0].max(kernel[0]), size[1].max(kernel[1])];
        let input = Random(seed).codes(&[n, image[0], image[1], image[2]], fill);
        let average = AveragePoolGeometry { window, count_include_pad };
        for op in [Op::MaxPool2d(window), Op::AveragePool2d(average), Op::Relu] {
            same_trace(&one_layer(image, vec![op], rounding).unwrap(), &input)?;
        }
    }
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
            assert_eq!(last.data(), fixture.int8.output_codes.head(16).data());
        }
    }
}

fn linear_network(bias: i32) -> Result<QuantNetwork, QuantError> {
    let weights = QuantWeights {
        weight: Tensor::new(&[1, 1], vec![1]).unwrap(),
        bias: Some(vec![bias]),
        weight_scale: Scale::new(1.0).unwrap(),
        output_scale: Scale::new(1.0).unwrap(),
    };
    one_layer(
        [1, 1, 1],
        vec![Op::Relu, Op::Flatten, Op::Linear { weights }],
        Rounding::TiesToEven,
    )
}

#[test]
fn what_the_network_proves_the_executor_accepts() {
    // After a ReLU codes are at most 127: this bias fits by one, and not by 128.
    let network = linear_network(i32::MAX - 127).unwrap();
    let executor = Executor::new(&network, dispatch::available()[0]).unwrap();
    let input = Tensor::new(&[1, 1, 1, 1], vec![127i8]).unwrap();
    let trace = executor.trace_codes(input).unwrap();
    assert_eq!(
        trace.layers[2].accumulators.as_ref().unwrap().data(),
        [i32::MAX]
    );
    assert!(matches!(
        linear_network(i32::MAX - 126),
        Err(QuantError::Layer { .. })
    ));
}

#[test]
fn wrong_images_are_an_error() {
    let network = linear_network(0).unwrap();
    let executor = Executor::new(&network, dispatch::available()[0]).unwrap();
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
