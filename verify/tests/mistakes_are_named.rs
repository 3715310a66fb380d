//! Every mistake, made in every node where it changes something, is named.

use std::collections::{BTreeMap, BTreeSet};

use fixtures::{ImageSet, NetworkFixture};
use quant::Rounding;
use quant::scheme::QuantParams;
use rayon::prelude::*;
use reference::ops::AveragePoolGeometry;
use reference::{Conv2dGeometry, Layer, Network, Op, PoolGeometry, Tensor, Weights};
use verify::diagnosis::{Diagnosis, Segment};
use verify::mistakes::{ALL, Mistake, Site, Variant};
use verify::model::{Accumulate, GOLDEN, MODELS, Model, ModelScheme, Step, Values};

use crate::common::load_traced;

/// What came of the mistakes that were made.
#[derive(Default)]
struct Tally {
    /// How many changed something.
    made: usize,
    /// Of these, how many were named first.
    first: usize,
    /// Which.
    ids: BTreeSet<&'static str>,
    /// What was named before them.
    before: BTreeMap<(&'static str, String), usize>,
}

impl Tally {
    fn merge(mut self, other: Self) -> Self {
        self.made += other.made;
        self.first += other.first;
        self.ids.extend(other.ids);
        for (pair, count) in other.before {
            *self.before.entry(pair).or_default() += count;
        }
        self
    }
}

/// Makes every mistake in a node and has the difference diagnosed.
fn in_node(model: &Model, node: usize, input: &Values) -> Tally {
    let expected = model.nodes[node].step.run(input).unwrap();
    let site = Site::new(model, node);
    let made: Vec<(&Mistake, Variant)> = (ALL.iter())
        .flat_map(|mistake| {
            let variants = (mistake.variants)(&site).into_iter();
            variants.map(move |variant| (mistake, variant))
        })
        .collect();
    let diagnose = |(mistake, variant): &(&'static Mistake, Variant)| {
        let observed = variant.step.run(input);
        let observed = observed.ok().filter(|observed| *observed != expected)?;
        let segment = Segment {
            model,
            nodes: node..node + 1,
            input,
            expected: &expected,
            observed: &observed,
        };
        let diagnosis = Diagnosis::new(&segment, &[], false).unwrap();
        if observed.shape() != expected.shape() {
            return None;
        }
        let ids: Vec<String> = (diagnosis.explanations.iter())
            .map(|found| found.causes[0].id.clone())
            .collect();
        assert!(
            ids.iter().any(|id| id == mistake.id),
            "{}, {}, {}: {} ({}) is not among {ids:?}",
            model.network,
            model.scheme,
            model.nodes[node].name,
            mistake.id,
            variant.parameters,
        );
        Some((mistake.id, ids[0].clone()))
    };
    let named: Vec<(&'static str, String)> = made.par_iter().filter_map(diagnose).collect();
    let mut tally = Tally::default();
    for (id, first) in named {
        tally.made += 1;
        tally.ids.insert(id);
        match first == id {
            true => tally.first += 1,
            false => *tally.before.entry((id, first)).or_default() += 1,
        }
    }
    tally
}

#[test]
fn every_mistake_is_named() {
    let mut models: Vec<(Model, Values)> = Vec::new();
    let (fixture, images, _) = load_traced("lenet5-mnist");
    let trained = of_every_scheme(&fixture, &images).into_iter();
    models.extend(trained.filter(|(model, _)| TRAINED.contains(&model.scheme)));
    let (fixture, images) = every_operator();
    models.extend(of_every_scheme(&fixture, &images));
    let nodes: Vec<(&Model, usize, Values)> = (models.iter())
        .flat_map(|(model, pixels)| {
            let trace = model.trace(pixels).unwrap();
            let inputs: Vec<Values> = std::iter::once(pixels.clone()).chain(trace).collect();
            (0..model.nodes.len()).map(move |node| (model, node, inputs[node].clone()))
        })
        .collect();
    let on_images = (nodes.par_iter())
        .filter(|(model, node, _)| is_tried(model, *node))
        .map(|(model, node, input)| in_node(model, *node, input))
        .reduce(Tally::default, Tally::merge);
    let directed = directed_nodes(&models);
    let directed = (directed.par_iter())
        .map(|(model, node, input)| in_node(model, *node, input))
        .reduce(Tally::default, Tally::merge);
    println!(
        "{} mistakes of {} kinds on images, {} named first; {} of {} kinds on directed inputs, {} named first",
        on_images.made,
        on_images.ids.len(),
        on_images.first,
        directed.made,
        directed.ids.len(),
        directed.first,
    );
    let all = on_images.merge(directed);
    for ((id, first), count) in &all.before {
        println!("{id}: {first} first, {count} times");
    }
    let never: Vec<&str> = (ALL.iter().map(|mistake| mistake.id))
        .filter(|id| !all.ids.contains(id))
        .collect();
    assert!(
        never.is_empty(),
        "these changed nothing anywhere: {never:?}"
    );
    assert!(all.made > MADE, "only {} were made", all.made);
    assert!(
        all.first * 100 >= all.made * FIRST,
        "{} of {}",
        all.first,
        all.made
    );
}

/// Schemes in which a trained network is tried; the small one is in all of them.
const TRAINED: [ModelScheme; 2] = [ModelScheme::MaxAbs, ModelScheme::PerChannelAsymmetric];

/// At least as many per cent are named first. The rest cannot be told from what is named before
/// it on that input: where all codes saturate, where no tie is met.
const FIRST: usize = 85;

/// At least as many mistakes are made.
const MADE: usize = 5_000;

/// The sums of the trained network's larger layers are left out: they take the most time, and
/// the small network has all kinds.
fn is_tried(model: &Model, node: usize) -> bool {
    match &model.nodes[node].step {
        Step::Accumulate(sums) => {
            sums.weight.data().len() < 1_000
                && model.nodes[node].shape[1..].iter().product::<usize>() < 500
        }
        _ => true,
    }
}

fn of_every_scheme(fixture: &NetworkFixture, images: &ImageSet) -> Vec<(Model, Values)> {
    let pixels = images.pixels.head(2).map(f64::from);
    let model = |scheme| Model::new(fixture, images, scheme, GOLDEN).unwrap();
    let models = MODELS.map(|scheme| (model(scheme), pixels.clone()));
    models.into_iter().collect()
}

const SMALL: &str = "every operator";

/// A small network with what the trained ones have not: strides, groups, padded pools of both
/// kinds, on images of 12 × 12.
fn every_operator() -> (NetworkFixture, ImageSet) {
    let (mut fixture, mut images, _) = load_traced("lenet5-cifar10");
    let crop = |pixels: &Tensor<u8>| {
        let n = pixels.shape()[0].min(120);
        let data = (0..n * 3 * 144).map(|at| {
            let (plane, y, x) = (at / 144, at / 12 % 12, at % 12);
            pixels.data()[plane * 1024 + (y + 10) * 32 + x + 10]
        });
        Tensor::new(&[n, 3, 12, 12], data.collect()).unwrap()
    };
    images.pixels = crop(&images.pixels);
    images.calibration = crop(&images.calibration);
    let mut random = 1u32;
    let mut values = |count: usize, size: f32| -> Vec<f32> {
        (0..count)
            .map(|_| {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((random >> 8) as f32 / (1 << 23) as f32 - 1.0) * size
            })
            .collect()
    };
    let mut weights = |shape: &[usize]| {
        let count: usize = shape.iter().product();
        let size = 2.0 / ((count / shape[0]) as f32).sqrt();
        Weights {
            weight: Tensor::new(shape, values(count, size)).unwrap(),
            bias: Some(values(shape[0], 0.8)),
        }
    };
    let convolution = |stride: usize, groups| Conv2dGeometry {
        stride: [stride, stride],
        padding: [1, 1],
        dilation: [1, 1],
        groups,
    };
    let window = |stride: usize| PoolGeometry {
        kernel: [3, 3],
        stride: [stride, stride],
        padding: [1, 1],
    };
    let layer = |name: &str, op| Layer {
        name: name.into(),
        op,
    };
    let average = AveragePoolGeometry {
        window: window(1),
        count_include_pad: false,
    };
    let pool = PoolGeometry {
        kernel: [2, 2],
        stride: [1, 1],
        padding: [0, 0],
    };
    let strided = weights(&[6, 3, 3, 3]);
    let grouped = weights(&[10, 3, 3, 3]);
    let layers = vec![
        layer(
            "strided",
            Op::Conv2d {
                geometry: convolution(2, 1),
                weights: strided,
            },
        ),
        layer("pool1", Op::MaxPool2d(window(2))),
        layer("relu1", Op::Relu),
        layer(
            "grouped",
            Op::Conv2d {
                geometry: convolution(1, 2),
                weights: grouped,
            },
        ),
        layer("relu2", Op::Relu),
        layer("average", Op::AveragePool2d(average)),
        layer("pool2", Op::MaxPool2d(pool)),
        layer("flatten", Op::Flatten),
        layer(
            "fc1",
            Op::Linear {
                weights: weights(&[18, 40]),
            },
        ),
        layer("relu3", Op::Relu),
        layer(
            "fc2",
            Op::Linear {
                weights: weights(&[10, 18]),
            },
        ),
    ];
    let mut input = fixture.network.input().clone();
    input.shape = [3, 12, 12];
    fixture.network = Network::new(SMALL, input, layers).unwrap();
    (fixture, images)
}

/// Requantizations with accumulators all over their reach, and on ties and beside them; with
/// the model's own scales, with multipliers of 2^−7, which have ties, and above 1.
fn directed_nodes(models: &[(Model, Values)]) -> Vec<(Model, usize, Values)> {
    let mut directed = Vec::new();
    for (model, _) in models.iter().filter(|(model, _)| model.network == SMALL) {
        for node in 0..model.nodes.len() {
            if let Step::Accumulate(sums) = &model.nodes[node].step
                && sums.geometry.is_none()
            {
                let input = furthest(sums, model.nodes[node - 1].params.unwrap());
                directed.push((model.clone(), node, input));
            }
            if !matches!(model.nodes[node].step, Step::Requantize(_)) {
                continue;
            }
            for multiplier in [None, Some(1.0 / 128.0), Some(1.25)] {
                let ends = ["strided", "fc2"].contains(&model.nodes[node].name.as_str());
                if multiplier.is_some() && !ends {
                    continue;
                }
                let mut model = model.clone();
                let accumulators = direct(&mut model, node, multiplier);
                directed.push((model, node, accumulators));
            }
        }
    }
    directed
}

/// The codes of which the first output is as large as it can be.
fn furthest(sums: &Accumulate, params: QuantParams) -> Values {
    let weights = sums.weight.item(0).iter();
    let codes = weights.map(|&w| match w > sums.weight_zero_points[0] {
        true => f64::from(params.grid.high()),
        false => f64::from(params.grid.low()),
    });
    Tensor::new(&[1, sums.weight.item_len()], codes.collect()).unwrap()
}

fn direct(model: &mut Model, node: usize, multiplier: Option<f64>) -> Values {
    let mut shape = model.nodes[node].shape.clone();
    let Step::Requantize(requantize) = &mut model.nodes[node].step else {
        unreachable!()
    };
    let sweeps: Vec<Vec<f64>> = (requantize.channels.iter_mut())
        .map(|channel| {
            let step = channel.weight_scale * channel.input_scale;
            if let Some(multiplier) = multiplier {
                channel.output_scale = step / multiplier;
            }
            let divisor = channel.output_scale / step;
            let ties = (-140..140).flat_map(|code| {
                let tie = (f64::from(code) + 0.5) * divisor;
                [tie.floor(), tie.ceil()]
            });
            let dense = (-150..150).map(|at| (f64::from(at) * 1.7371 * divisor).round());
            ties.chain(dense).collect()
        })
        .collect();
    let pixels: usize = shape[2..].iter().product();
    shape[0] = sweeps[0].len().div_ceil(pixels);
    let zeros = Tensor::full(&shape, 0.0).unwrap();
    let (channels, mut at) = (sweeps.len(), 0);
    zeros.map(|_| {
        let (image, channel, pixel) = (at / pixels / channels, at / pixels % channels, at % pixels);
        at += 1;
        let sweep = &sweeps[channel];
        sweep[(image * pixels + pixel) % sweep.len()]
    })
}

/// The same buffer may be read or be written wrong; and maps of one channel or windows of one
/// row and column have one order.
#[test]
fn weights_are_read_in_other_orders_where_there_are_some() {
    let (fixture, images) = every_operator();
    let mut model = Model::new(&fixture, &images, ModelScheme::MaxAbs, GOLDEN).unwrap();
    let forms = |id: &str, node: &str| -> Vec<String> {
        let site = Site::new(&model, model.position(node).unwrap());
        let variants = (verify::mistakes::find(id).unwrap().variants)(&site);
        variants.into_iter().map(|of| of.parameters).collect()
    };
    let has = |forms: Vec<String>, start: &str| forms.iter().any(|form| form.starts_with(start));
    assert!(has(
        forms("weights-ohwi", "grouped.accumulators"),
        "written OIHW, read "
    ));
    let transposed = "written [out, in], read [in, out]";
    assert!(has(
        forms("weights-transposed", "fc1.accumulators"),
        transposed
    ));
    let node = model.position("grouped.accumulators").unwrap();
    let mut orders = |shape: &[usize; 4]| -> Vec<(&str, Vec<usize>)> {
        if let Step::Accumulate(sums) = &mut model.nodes[node].step {
            sums.weight = Tensor::full(shape, 1).unwrap();
        }
        Site::new(&model, node).tap_orders()
    };
    let chw = |count: usize| ("CHW", (0..count).collect::<Vec<usize>>());
    assert_eq!(orders(&[10, 1, 3, 3]), [chw(9)]);
    assert_eq!(orders(&[10, 3, 1, 1]), [chw(3)]);
    // Both channels of the first row's first column come first.
    let hwc = ("HWC", vec![0, 4, 1, 5, 2, 6, 3, 7]);
    assert_eq!(orders(&[10, 2, 2, 2]), [chw(8), hwc]);
}

/// Rounded down, and then the codes moved to 0 to 255.
#[test]
fn two_mistakes_in_one_requantization_are_named() {
    let (fixture, images, _) = load_traced("mlp-mnist");
    let model = Model::new(&fixture, &images, ModelScheme::MaxAbs, GOLDEN).unwrap();
    let node = model.position("fc3").unwrap();
    let pixels = images.pixels.head(3).map(f64::from);
    let trace = model.trace(&pixels).unwrap();
    let mut wrong = model.clone();
    for id in ["floor-activations", "offset-128"] {
        let variants = verify::mistakes::find(id).unwrap().variants;
        wrong.nodes[node].step = variants(&Site::new(&wrong, node)).remove(0).step;
    }
    let observed = wrong.nodes[node].step.run(&trace[node - 1]).unwrap();
    let segment = Segment {
        model: &model,
        nodes: node..node + 1,
        input: &trace[node - 1],
        expected: &trace[node],
        observed: &observed,
    };
    let diagnosis = Diagnosis::new(&segment, &[], true).unwrap();
    let pairs: Vec<Vec<&str>> = (diagnosis.explanations.iter())
        .map(|found| found.causes.iter().map(|cause| &*cause.id).collect())
        .collect();
    assert!(
        pairs.contains(&vec!["floor-activations", "offset-128"]),
        "{pairs:?}"
    );
    assert!(
        pairs
            .iter()
            .all(|pair| pair.len() == 2 && pair[0] != pair[1])
    );
}

#[test]
fn what_changes_nothing_is_no_variant() {
    let (fixture, images) = every_operator();
    let model = Model::new(&fixture, &images, ModelScheme::MaxAbs, GOLDEN).unwrap();
    let input = Site::new(&model, 0);
    let (mean, std) = (fixture.network.input().mean, fixture.network.input().std);
    let right = move |pixel: f32, _| (pixel / 255.0 - mean) / std;
    assert!(input.pixels_as("", right).is_none());
    let one_channel = move |pixel: f32, channel: usize| match channel {
        2 => pixel / 255.0,
        _ => (pixel / 255.0 - mean) / std,
    };
    assert!(input.pixels_as("", one_channel).is_some());
    // The same codes, with their zero points.
    let model_of = |scheme| Model::new(&fixture, &images, scheme, GOLDEN).unwrap();
    let asymmetric = model_of(ModelScheme::Asymmetric);
    let at = asymmetric.position("fc2").unwrap();
    let sums = Site::new(&asymmetric, at - 1);
    assert!(sums.weights_rounded("", f64::round_ties_even).is_none());
    assert!(sums.weights_rounded("", f64::floor).is_some());
    // A code may depend on its channel and its place in it.
    let maxabs = model_of(ModelScheme::MaxAbs);
    let sums = Site::new(&maxabs, at - 1);
    let placed = sums.weights_of("", |o, i, _| (10 * o + i) as f64).unwrap();
    let Step::Accumulate(placed) = &placed.step else {
        panic!("fc2 has sums")
    };
    assert_eq!(placed.weight.item(2), (20..38).collect::<Vec<i32>>());
    // The model's own contract; and one that has no numbers for a multiplier.
    let mut contract = model_of(ModelScheme::Asymmetric)
        .with_contract("q16-floor")
        .unwrap();
    assert!(Site::new(&contract, at).contract("", "q16-floor").is_none());
    assert!(
        Site::new(&contract, at)
            .contract("", "power-of-two-floor")
            .is_some()
    );
    if let Step::Requantize(requantize) = &mut contract.nodes[at].step {
        requantize.channels[0].output_scale = 1e-30;
    }
    assert!(
        Site::new(&contract, at)
            .contract("", "power-of-two-floor")
            .is_none()
    );
    // A quotient is the accumulator times the multiplier.
    let quotient = Site::new(&asymmetric, at)
        .quotients("", |steps, _| steps)
        .unwrap();
    let Step::Requantize(requantize) = &quotient.step else {
        panic!("fc2 is requantized")
    };
    let multiplier = requantize.channels[1].multiplier();
    assert_eq!(requantize.one(1, 1000.0).0, 1000.0 * multiplier);
    // Means that are cut off are another mistake's.
    let average = Site::new(&model, model.position("average").unwrap());
    let applies = |rule| average.rounding("", rule).is_some();
    let rules = [Rounding::Floor, Rounding::TowardZero, Rounding::HalfUp];
    assert_eq!(rules.map(applies), [false, false, true]);
}

#[test]
fn what_is_no_mistake_is_not_accused() {
    let (fixture, images) = every_operator();
    for (model, pixels) in of_every_scheme(&fixture, &images) {
        let trace = model.trace(&pixels).unwrap();
        // ReLU and max-pool in either order are the same tensor: there is nothing to explain.
        let at = |name: &str| model.position(name).unwrap();
        let (pool, relu) = (at("pool1"), at("relu1"));
        let clamped = model.nodes[relu].step.run(&trace[pool - 1]).unwrap();
        let swapped = model.nodes[pool].step.run(&clamped).unwrap();
        let segment = Segment {
            model: &model,
            nodes: pool..relu + 1,
            input: &trace[pool - 1],
            expected: &trace[relu],
            observed: &swapped,
        };
        let diagnosis = Diagnosis::new(&segment, &[], false).unwrap();
        assert_eq!((diagnosis.differing, diagnosis.explanations.len()), (0, 0));
    }
}
