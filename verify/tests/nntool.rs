//! NNTool's schemes as models: every code is what its integers give, evaluated another way; and
//! they are told apart, diagnosed and judged as any other.

use std::sync::OnceLock;

use fixtures::{ImageSet, NetworkFixture};
use quant::sq8::{Sq8Params, Sq8Scale, Sq8Weights};
use quant::{QuantNetwork, Rounding};
use reference::{Conv2dGeometry, InputSpec, Network, Op, PoolGeometry, Tensor};
use rstest::rstest;
use verify::backend::Trial;
use verify::diagnosis::rates::{alone, pairs, strangers};
use verify::explain::{Explanation, html, markdown};
use verify::model::{Accumulator, Arithmetic, GOLDEN, Model, ModelScheme, NNTOOL, Step};
use verify::qsnr::{Qsnr, QsnrError};

use crate::common::load_traced;

const NETWORKS: [&str; 3] = ["lab", "lenet5-mnist", "mlp-mnist"];

/// These networks in both schemes, with their images.
fn models() -> &'static [(Model, ImageSet)] {
    static MODELS: OnceLock<Vec<(Model, ImageSet)>> = OnceLock::new();
    MODELS.get_or_init(|| {
        let of = |name| {
            let (fixture, images, _) = load_traced(name);
            NNTOOL.map(|scheme| (model(&fixture, &images, scheme), images.clone()))
        };
        NETWORKS.into_iter().flat_map(of).collect()
    })
}

fn model(fixture: &NetworkFixture, images: &ImageSet, scheme: ModelScheme) -> Model {
    Model::new(fixture, images, scheme, GOLDEN).unwrap()
}

fn lab(scheme: ModelScheme) -> &'static (Model, ImageSet) {
    let found = models()
        .iter()
        .find(|(model, _)| model.network == "lab" && model.scheme == scheme);
    found.unwrap()
}

fn layers(model: &Model) -> impl Iterator<Item = &Sq8Weights> {
    (model.origin.layers.iter()).map(|layer| layer.sq8.as_deref().unwrap())
}

/// The low 32 bits, in two's complement.
fn wrap(x: i128) -> i128 {
    (x + (1 << 31)).rem_euclid(1 << 32) - (1 << 31)
}

/// `clamp(norm(acc·S, N))` with integers of any size and a division that rounds down.
fn requantized(acc: i128, Sq8Scale { scale, shift }: Sq8Scale) -> i128 {
    let product = wrap(acc * i128::from(scale));
    let half = if shift == 0 { 0 } else { 1 << (shift - 1) };
    (wrap(product + half))
        .div_euclid(1 << shift)
        .clamp(-128, 127)
}

/// Codes [N, C, H, W] (or [N, C]) in another evaluation: sums over what lies inside of the image,
/// the zero point taken off each code, and pooled before the ReLU, as NNTool's kernels do.
struct Codes {
    shape: Vec<usize>,
    data: Vec<i128>,
}

impl Codes {
    fn at(&self, n: usize, c: usize, y: usize, x: usize) -> i128 {
        let (height, width) = (self.shape[2], self.shape[3]);
        self.data[((n * self.shape[1] + c) * height + y) * width + x]
    }

    /// Of a layer on these codes.
    fn weighted(&self, layer: &Sq8Weights, geometry: Option<Conv2dGeometry>) -> Self {
        let z = i128::from(layer.input.zero_point());
        let (images, outputs) = (self.shape[0], layer.bias.len());
        // Without the input's zero point in it.
        let bias = |o: usize| {
            let sum: i128 = layer.codes.item(o).iter().map(|&w| i128::from(w)).sum();
            i128::from(layer.bias[o]) + z * sum
        };
        let weight = |o: usize, k: usize| i128::from(layer.codes.item(o)[k]);
        let mut data = Vec::new();
        let Some(geometry) = geometry else {
            let inputs = layer.codes.item_len();
            for n in 0..images {
                for o in 0..outputs {
                    let row = &self.data[n * inputs..][..inputs];
                    let products = (row.iter().enumerate()).map(|(k, x)| (x - z) * weight(o, k));
                    data.push(requantized(
                        bias(o) + products.sum::<i128>(),
                        layer.scales[o],
                    ));
                }
            }
            let shape = vec![images, outputs];
            return Self { shape, data };
        };
        let plain = ([1, 1], [1, 1], 1);
        assert_eq!((geometry.stride, geometry.dilation, geometry.groups), plain);
        let [_, _, kernel_h, kernel_w] = *layer.codes.shape() else {
            unreachable!()
        };
        let [top, left] = geometry.padding;
        let rows = self.shape[2] + 2 * top + 1 - kernel_h;
        let columns = self.shape[3] + 2 * left + 1 - kernel_w;
        for (n, o) in (0..images).flat_map(|n| (0..outputs).map(move |o| (n, o))) {
            for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
                let mut acc = bias(o);
                for k in 0..layer.codes.item_len() {
                    let (c, ky, kx) = (
                        k / (kernel_h * kernel_w),
                        k / kernel_w % kernel_h,
                        k % kernel_w,
                    );
                    let inside = (y + ky).checked_sub(top).zip((x + kx).checked_sub(left));
                    if let Some((iy, ix)) =
                        inside.filter(|&(iy, ix)| iy < self.shape[2] && ix < self.shape[3])
                    {
                        acc += (self.at(n, c, iy, ix) - z) * weight(o, k);
                    }
                }
                data.push(requantized(acc, layer.scales[o]));
            }
        }
        let shape = vec![images, outputs, rows, columns];
        Self { shape, data }
    }

    fn pooled(&self, window: &PoolGeometry) -> Self {
        let [kernel, _] = window.kernel;
        assert_eq!((window.stride, window.padding), (window.kernel, [0, 0]));
        let (rows, columns) = (self.shape[2] / kernel, self.shape[3] / kernel);
        let mut data = Vec::new();
        for (n, c) in (0..self.shape[0]).flat_map(|n| (0..self.shape[1]).map(move |c| (n, c))) {
            for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
                let codes = (0..kernel * kernel)
                    .map(|k| self.at(n, c, y * kernel + k / kernel, x * kernel + k % kernel));
                data.push(codes.max().unwrap());
            }
        }
        let shape = vec![self.shape[0], self.shape[1], rows, columns];
        Self { shape, data }
    }
}

#[test]
fn every_fused_layer_is_what_its_integers_give() {
    let mut compared = 0;
    for (model, images) in models() {
        let pixels = images.pixels.head(2);
        let trace = model.trace(&pixels.map(f64::from)).unwrap();
        let body = QuantNetwork::body(&model.origin.float).unwrap();
        let mut sq8 = layers(model);
        let input = layers(model).next().unwrap().input;
        let code = |x: f32| {
            let steps = (f64::from(x / input.scale() as f32) + 0.5).floor();
            (steps as i128 + i128::from(input.zero_point())).clamp(-128, 127)
        };
        let real = body.input().normalize(&pixels);
        let mut codes = Codes {
            shape: real.shape().to_vec(),
            data: real.data().iter().map(|&x| code(x)).collect(),
        };
        let mut same = |name: &str, codes: &Codes| {
            let got = trace[model.position(name).unwrap()].data();
            let expected: Vec<f64> = codes.data.iter().map(|&code| code as f64).collect();
            assert!(
                got == expected,
                "{}, {}, {name}",
                model.network,
                model.scheme
            );
            compared += got.len();
        };
        same("input", &codes);
        let floats = body.layers();
        for (at, layer) in floats.iter().enumerate() {
            let geometry = match &layer.op {
                Op::Conv2d { geometry, .. } => Some(*geometry),
                Op::Linear { .. } => None,
                _ => continue,
            };
            let weights = sq8.next().unwrap();
            codes = codes.weighted(weights, geometry);
            let behind: Vec<_> = (floats[at + 1..].iter())
                .take_while(|layer| layer.weights().is_none())
                .collect();
            for layer in &behind {
                if let Op::MaxPool2d(window) = &layer.op {
                    codes = codes.pooled(window);
                }
            }
            if behind.iter().any(|layer| layer.op == Op::Relu) {
                let zero = i128::from(weights.output.zero_point());
                codes
                    .data
                    .iter_mut()
                    .for_each(|code| *code = zero.max(*code));
            }
            same(&behind.last().unwrap_or(&layer).name, &codes);
        }
    }
    assert!(compared > 30_000, "{compared}");
}

/// x with x·odd ≡ 1 modulo 2^64: each step doubles the bits that are right.
fn inverse(odd: u64) -> u64 {
    (0..6).fold(odd, |x, _| {
        x.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(x)))
    })
}

/// Accumulators on every tie of a channel's codes and beside it, at the edges of the clamp, and
/// at the ends of int32, where the product wraps.
fn directed(Sq8Scale { scale, shift }: Sq8Scale, ties: &mut usize) -> Vec<i64> {
    let mut found = vec![i64::from(i32::MIN), i64::from(i32::MAX), 0, -1, 1];
    let one = 1i64 << shift;
    for edge in [-129.5, -128.5, -127.5, 126.5, 127.5, 128.5] {
        let acc = (edge * one as f64 / f64::from(scale)).floor() as i64;
        found.extend([acc - 1, acc, acc + 1, acc + 2]);
    }
    if scale % 2 == 1 && shift > 0 {
        // acc·S = half modulo 2^N has one solution modulo 2^N.
        let first = (one as u64 / 2).wrapping_mul(inverse(scale.into())) as i64 & (one - 1);
        let codes = |acc: i64| acc * i64::from(scale) / one;
        let mut acc = first - one * (130 / i64::from(scale) + 2);
        while codes(acc) < 130 {
            if codes(acc) > -130 {
                assert_eq!((acc * i64::from(scale)).rem_euclid(one), one / 2);
                found.extend([acc - 1, acc, acc + 1]);
                *ties += 1;
            }
            acc += one;
        }
    }
    found.retain(|&acc| i32::try_from(acc).is_ok());
    found
}

#[test]
fn requantizations_on_ties_and_edges_are_exact() {
    let (mut ties, mut compared, mut wrapped) = (0, 0, 0);
    for (model, _) in models() {
        for node in &model.nodes {
            let Step::Requantize(requantize) = &node.step else {
                continue;
            };
            let Arithmetic::Sq8(scales, Rounding::HalfUp) = &requantize.arithmetic else {
                panic!("{}: {:?}", node.name, requantize.arithmetic)
            };
            for (o, &scale) in scales.iter().enumerate() {
                for acc in directed(scale, &mut ties) {
                    let mut sums = Tensor::full(&[1, scales.len()], 0.0).unwrap();
                    sums[[0, o]] = acc as f64;
                    let (_, code) = requantize.one(o, acc as f64);
                    let expected = requantized(acc.into(), scale);
                    assert_eq!(code, expected as f64, "{acc} by {scale:?}");
                    if acc == i64::from(i32::MAX) {
                        assert_eq!(node.step.run(&sums).unwrap()[[0, o]], code);
                    }
                    wrapped += usize::from(
                        wrap(i128::from(acc) * i128::from(scale.scale))
                            != i128::from(acc) * i128::from(scale.scale),
                    );
                    compared += 1;
                }
            }
        }
    }
    assert!(
        ties > 3_000 && compared > 20_000 && wrapped > 500,
        "{ties} ties, {compared}, {wrapped} wrapped"
    );
}

#[test]
fn the_floor_of_a_release_without_rounding_is_another_code() {
    let (model, _) = lab(ModelScheme::NntoolSq8);
    let at = model.position("conv1").unwrap();
    let Step::Requantize(right) = &model.nodes[at].step else {
        unreachable!()
    };
    let mut floor = right.clone();
    floor.arithmetic = right.arithmetic.with_rounding(Rounding::Floor).unwrap();
    assert!(
        right
            .arithmetic
            .with_rounding(Rounding::TiesToEven)
            .is_none()
    );
    let scale = layers(model).next().unwrap().scales[0];
    let mut ties = 0;
    let accumulators = directed(scale, &mut ties);
    let differ =
        (accumulators.iter()).filter(|&&acc| right.one(0, acc as f64) != floor.one(0, acc as f64));
    assert!(differ.count() >= ties && ties > 0);
}

/// A model's steps are those that NNTool's numbers mean: nothing is taken off the input's codes
/// and nothing added to the output's, since the stored bias holds both.
#[test]
fn a_model_holds_the_zero_points_in_its_biases() {
    let mut seen = [0; 2];
    for (model, _) in models() {
        let mut z_input = layers(model).next().unwrap().input.zero_point();
        for node in &model.nodes {
            let Some(weighted) = node.weighted else {
                continue;
            };
            let layer = model.origin.layers[weighted].sq8.as_deref().unwrap();
            match &node.step {
                Step::Accumulate(sums) => {
                    assert_eq!((sums.input_zero_point, sums.padding), (0, z_input));
                    assert!(matches!(sums.accumulator, Accumulator::Exact));
                    assert!(!sums.is_padded() || z_input == 0);
                    let stored: Vec<i64> = layer.bias.iter().map(|&bias| bias.into()).collect();
                    assert_eq!(sums.bias, stored);
                }
                Step::Requantize(requantize) => {
                    assert!(
                        requantize
                            .channels
                            .iter()
                            .all(|of| of.output_zero_point == 0)
                    );
                    z_input = node.params.unwrap().zero_point;
                    assert_eq!(z_input, layer.output.zero_point());
                    let last = weighted + 1 == model.origin.layers.len();
                    // By chance a ReLU may have none: its layer's own range would have had 0.
                    let own = Sq8Params::asymmetric(model.origin.layers[weighted].range);
                    let by_chance = !last && own.unwrap().zero_point() == 0;
                    let of_fc1 = model.network == "mlp-mnist" && node.name == "fc1";
                    assert_eq!(by_chance, of_fc1, "{}, {}", model.network, node.name);
                    let shifted = model.scheme == ModelScheme::NntoolSq8 && !last && !by_chance;
                    assert_eq!(z_input, if shifted { -128 } else { 0 });
                    assert_eq!(layer.relu, !last);
                    seen[usize::from(z_input != 0)] += 1;
                }
                _ => unreachable!(),
            }
        }
    }
    assert!(seen.iter().all(|&seen| seen > 5), "{seen:?}");
}

/// What the device's int32 wraps is not met by the committed networks.
#[test]
fn no_product_of_the_committed_networks_wraps() {
    for (model, images) in models() {
        let trace = model.trace(&images.pixels.map(f64::from)).unwrap();
        let sums = (model.nodes.iter().zip(&trace)).filter(|(node, _)| node.is_accumulators());
        for (layer, (node, sums)) in layers(model).zip(sums) {
            sums.map_along(1, |o, acc| {
                let product = acc * f64::from(layer.scales[o].scale);
                assert!(product.abs() < 2f64.powi(30), "{}", node.name);
                assert!(acc.abs() <= layer.reach(o) as f64);
            });
        }
    }
}

#[test]
fn mistakes_are_named_and_strangers_are_not() {
    let found = (models().iter()).find(|(model, _)| model.network == "mlp-mnist");
    let (model, images) = found.unwrap();
    assert_eq!(model.scheme, ModelScheme::NntoolSq8);
    let pixels = images.pixels.head(1).map(f64::from);
    let trial = Trial::of(model.clone(), &pixels, 1).unwrap();
    assert!(
        trial
            .probes
            .iter()
            .any(|probe| probe.name == "directed-fc3")
    );
    let rates = alone(&trial, 40, 5).unwrap();
    assert_eq!((rates.named, rates.misplaced), (rates.seen, 0), "{rates:?}");
    assert!(rates.seen > 20 && rates.first > 20, "{rates:?}");
    let both = pairs(&trial, 8, 5).unwrap();
    assert_eq!((both.named, both.misplaced), (both.seen, 0), "{both:?}");
    assert!(both.seen > 3, "{both:?}");
    let strange = strangers(&trial, 12, 5).unwrap();
    assert_eq!((strange.runs, strange.named), (12, vec![]));
    assert!((4..12).contains(&strange.wrong), "{}", strange.wrong);
}

/// A contract of another library in the place of NNTool's own: it is given the same accumulators.
#[test]
fn another_contract_requantizes_the_same_sums() {
    let (golden, images) = lab(ModelScheme::NntoolSq8);
    let pixels = images.pixels.head(1).map(f64::from);
    let right = golden.trace(&pixels).unwrap();
    let own = golden.clone().with_contract("nntool-sq8").unwrap();
    // As many bits as here: every layer of the lab has eight.
    assert_eq!(own.trace(&pixels).unwrap(), right);
    let other = golden.clone().with_contract("tflite-micro").unwrap();
    let at = golden.position("conv1").unwrap();
    let codes = &other.trace(&pixels).unwrap()[at];
    let furthest = (codes.data().iter().zip(right[at].data())).map(|(a, b)| (a - b).abs());
    let furthest = furthest.fold(0.0, f64::max);
    assert!((1.0..=2.0).contains(&furthest), "{furthest}");
    let again = other.with_contract(GOLDEN).unwrap();
    assert_eq!(again.trace(&pixels).unwrap(), right);
}

#[rstest]
#[case(ModelScheme::NntoolSq8, 32.0)]
#[case(ModelScheme::NntoolSq8Symmetric, 28.0)]
fn the_lab_has_the_figures_of_a_good_quantization(#[case] scheme: ModelScheme, #[case] least: f64) {
    let (model, images) = lab(scheme);
    let qsnr = Qsnr::new(model, &model.origin.float, &images.pixels).unwrap();
    for layer in qsnr.layers.iter().filter(|layer| !layer.inside) {
        let fine = layer.least >= 15.0 && (least..47.0).contains(&layer.mean);
        assert!(fine, "{layer:?}");
    }
    // What a fused ReLU takes away is lost before it.
    let conv1 = qsnr
        .layers
        .iter()
        .find(|layer| layer.name == "conv1")
        .unwrap();
    assert!(conv1.inside && (conv1.mean < 10.0) == (scheme == ModelScheme::NntoolSq8));
    assert_eq!(qsnr.layers.iter().filter(|layer| layer.inside).count(), 6);
    assert_eq!(qsnr.agrees, qsnr.agrees_with_right);
    assert_eq!(qsnr.float_agrees_with_right, qsnr.images);
    assert!(qsnr.agrees * 20 >= qsnr.images * 19, "{}", qsnr.agrees);
}

/// `aquant -D 255` calibrates and runs on [0, 1] what was trained on [−1, 1]. The decibels are as
/// good as before, since both networks are given the wrong pixels; the classes are not.
#[test]
fn a_wrong_normalization_is_not_seen_in_decibels() {
    let (mut fixture, images, _) = load_traced("lab");
    let right = fixture.network.clone();
    let wrong = InputSpec {
        mean: 0.0,
        std: 1.0,
        ..right.input().clone()
    };
    fixture.network = Network::new("lab", wrong, right.layers().to_vec()).unwrap();
    let model = model(&fixture, &images, ModelScheme::NntoolSq8);
    let qsnr = Qsnr::new(&model, &right, &images.pixels).unwrap();
    let seen = qsnr.layers.iter().filter(|layer| !layer.inside);
    assert!(seen.clone().count() == 7 && seen.clone().all(|layer| layer.mean > 32.0));
    assert!(qsnr.agrees * 20 >= qsnr.images * 19);
    assert!(qsnr.agrees_with_right * 10 <= qsnr.images * 7, "{qsnr:?}");
    assert!(qsnr.float_agrees_with_right * 10 <= qsnr.images * 7);
}

#[test]
fn no_images_have_no_figures() {
    let (model, images) = lab(ModelScheme::NntoolSq8);
    let none = Qsnr::new(model, &model.origin.float, &images.pixels.head(0));
    assert_eq!(none, Err(QsnrError::NoImages));
}

/// On fewer images than the verb takes.
#[test]
fn the_lab_is_explained() {
    let (fixture, mut images, _) = load_traced("lab");
    images.calibration = images.calibration.head(40);
    let explanation = Explanation::new(&fixture, &images, 12).unwrap();
    for scale in &explanation.scales {
        let product = scale.factors().into_iter().reduce(|a, b| a * b);
        assert_eq!(product, scale.whole());
        assert!(product.is_some());
    }
    let text = markdown(&explanation);
    insta::assert_snapshot!(text);
    let page = html(&explanation).unwrap();
    assert_eq!(page.matches("<h2>").count(), text.matches("\n## ").count());
    // Not the line below each head.
    assert_eq!(page.matches("<tr>").count(), text.matches("\n| ").count());
    assert!(page.contains("<code>fusions --scale8</code>") && !page.contains("http"));
}
