//! Every contract on accumulators that are chosen: a network whose weights are 0, so that its
//! sums are its biases.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use quant::contracts::{ALL, Channel, Clamp, Contract, Steps};
use quant::scheme::{Granularity, Grid, QuantParams};
use quant::{Rounding, Scale};
use reference::{Conv2dGeometry, PoolGeometry, Tensor};
use rstest::rstest;
use verify::export::Options;
use verify::model::{
    Accumulate, Accumulator, Arithmetic, GOLDEN, ModelScheme, Node, Overflow, Requantize, Step,
};

use super::compiler::{DEFINED, build, found};
use crate::exports::subject::Subject;

/// Multipliers: with ties, near a power of two, small.
const WEIGHT_SCALES: [f64; 3] = [0.125, 0.007_812_500_1, 0.000_061];

/// Ends of int32, both sides of every tie between codes, powers of two, and some at random.
fn accumulators(channel: &Channel) -> Vec<i32> {
    let mut chosen = BTreeSet::from([i32::MIN, i32::MIN + 1, i32::MAX - 1, i32::MAX, 0]);
    for power in 0..31 {
        for beside in -1..=1 {
            chosen.insert((1 << power) + beside);
            chosen.insert(-(1 << power) + beside);
        }
    }
    for code in channel.clamp.low - 2..=channel.clamp.high + 2 {
        let tie = (f64::from(code - channel.output_zero_point) + 0.5) / channel.multiplier();
        for beside in -1..=1 {
            chosen.insert((tie.round() as i32).saturating_add(beside));
        }
    }
    let mut random = 1u32;
    for _ in 0..200 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        chosen.insert(random as i32);
        chosen.insert((random as i32) >> 12);
    }
    chosen.into_iter().collect()
}

/// The sums of a layer with one weight an output channel, which is 0, and its requantization.
struct Directed {
    channels: Vec<Channel>,
    sums: Vec<i32>,
}

impl Directed {
    /// Of the channels that the contract has numbers for.
    fn new(contract: Option<&Contract>, zero_point: i32, clamp: Clamp) -> Option<Self> {
        let mut made = Self {
            channels: Vec::new(),
            sums: Vec::new(),
        };
        for weight_scale in WEIGHT_SCALES {
            let channel = Channel {
                clamp,
                granularity: Granularity::PerChannel,
                ..Channel::int8(0.75, weight_scale, 0.5, zero_point)
            };
            if contract.is_some_and(|contract| contract.prepare(&channel).is_err()) {
                continue;
            }
            let sums = accumulators(&channel);
            made.channels.extend(vec![channel; sums.len()]);
            made.sums.extend(sums);
        }
        (!made.sums.is_empty()).then_some(made)
    }

    /// Two nodes; the first such layer has one input channel, another as many as outputs.
    fn nodes(&self, name: &str, arithmetic: Arithmetic, first: bool) -> [Node; 2] {
        let outputs = self.sums.len();
        let clamp = self.channels[0].clamp;
        let accumulate = Step::Accumulate(Accumulate {
            geometry: Some(Conv2dGeometry {
                groups: if first { 1 } else { outputs },
                ..Conv2dGeometry::default()
            }),
            weight: Tensor::full(&[outputs, 1, 1, 1], 0).unwrap(),
            weight_zero_points: vec![0; outputs],
            bias: self.sums.iter().map(|&sum| sum.into()).collect(),
            input_zero_point: 0,
            padding: 0,
            accumulator: Accumulator::Exact,
        });
        let requantize = Step::Requantize(Requantize {
            channels: self.channels.clone(),
            axis: 1,
            arithmetic,
            overflow: Overflow::Saturate,
        });
        let params = QuantParams {
            scale: Scale::new(0.5).unwrap(),
            zero_point: self.channels[0].output_zero_point,
            grid: Grid {
                bits: 8,
                signed: clamp.high < 128,
                narrow: false,
            },
        };
        let node = |name: String, step, params| Node {
            name,
            step,
            shape: vec![1, outputs, 1, 1],
            params,
            weighted: None,
        };
        [
            node(format!("{name}.accumulators"), accumulate, None),
            node(name.to_owned(), requantize, Some(params)),
        ]
    }
}

/// A network whose layers have these sums, and its images.
fn subject(layers: &[Directed], arithmetic: &Arithmetic) -> Subject {
    static SUBJECT: OnceLock<Subject> = OnceLock::new();
    let base = SUBJECT.get_or_init(|| Subject::new("mlp-mnist", ModelScheme::MaxAbs, GOLDEN));
    let mut model = base.model.clone();
    model.nodes.truncate(1);
    model.nodes.push(Node {
        name: "pool".into(),
        step: Step::MaxPool(PoolGeometry {
            kernel: [28, 28],
            stride: [28, 28],
            padding: [0, 0],
        }),
        shape: vec![1, 1, 1, 1],
        params: model.nodes[0].params,
        weighted: None,
    });
    for (at, layer) in layers.iter().enumerate() {
        let nodes = layer.nodes(&format!("layer{at}"), arithmetic.clone(), at == 0);
        model.nodes.extend(nodes);
    }
    Subject {
        model,
        images: base.images.clone(),
    }
}

/// Two layers where the contract has zero points: int8, and uint8 with a ReLU's clamp.
fn layers(contract: Option<&Contract>) -> Vec<Directed> {
    let kinds = [
        (0, Clamp::INT8),
        (
            130,
            Clamp {
                low: 130,
                high: 255,
            },
        ),
    ];
    let mut layers: Vec<Directed> = (kinds.into_iter())
        .filter_map(|(zero_point, clamp)| Directed::new(contract, zero_point, clamp))
        .collect();
    // Each layer's outputs are the next one's channels.
    let most = layers.iter().map(|layer| layer.sums.len()).max().unwrap();
    for layer in &mut layers {
        layer.channels.resize(most, layer.channels[0]);
        layer.sums.resize(most, layer.sums[0]);
    }
    layers
}

/// What tells the C functions of two contracts apart.
fn function(contract: &Contract) -> String {
    let channel = Channel::int8(0.75, 0.007, 0.5, 0);
    let steps = contract.prepare(&channel).unwrap().recipe().unwrap().steps;
    let kind = std::mem::discriminant(&steps);
    match steps {
        Steps::Scale { rounding, .. }
        | Steps::HighProduct { rounding, .. }
        | Steps::MultiplyDouble { rounding, .. } => format!("{kind:?}, {rounding:?}"),
        Steps::Wrapping { bits, .. } => format!("{kind:?}, {bits}"),
        _ => format!("{kind:?}"),
    }
}

/// A contract for each function, dealt to two tests. That the constants of all 34 are theirs is a
/// test of `quant`: what a recipe says is what the contract does.
#[rstest]
#[case(0)]
#[case(1)]
fn every_function_is_its_contract_s_on_directed_accumulators(#[case] hand: usize) {
    let mut seen = BTreeSet::new();
    let first = |contract: &&'static Contract| seen.insert(function(contract));
    let contracts: Vec<&'static Contract> = ALL.iter().filter(first).collect();
    assert_eq!(contracts.len(), 14);
    for contract in contracts.into_iter().skip(hand).step_by(2) {
        check(contract);
    }
}

fn check(contract: &'static Contract) {
    if !found() {
        return;
    }
    let layers = layers(Some(contract));
    let count: usize = layers.iter().map(|layer| layer.sums.len()).sum();
    assert!(count > 2000, "{}: {count}", contract.name);
    let subject = subject(&layers, &Arithmetic::Contract(contract));
    // What the model is made of, by the contract itself.
    let pixels = subject.images.pixels.head(1).map(f64::from);
    let output = subject.model.trace(&pixels).unwrap().pop().unwrap();
    let last = layers.last().unwrap();
    for ((channel, &sum), &code) in last.channels.iter().zip(&last.sums).zip(output.data()) {
        let expected = contract.prepare(channel).unwrap().requantize(sum);
        assert_eq!(f64::from(expected), code, "{}: {sum}", contract.name);
    }
    assert_compiles(&subject);
}

#[rstest]
#[case(Arithmetic::Division(Rounding::TiesToEven))]
#[case(Arithmetic::Product(Rounding::TiesToEven))]
#[case(Arithmetic::Product(Rounding::TiesAwayFromZero))]
fn karat_s_own_arithmetic_is_its_own(#[case] arithmetic: Arithmetic) {
    if found() {
        assert_compiles(&subject(&layers(None), &arithmetic));
    }
}

/// The C program makes the same codes of the same sums, and nothing undefined happens.
fn assert_compiles(subject: &Subject) {
    let options = Options {
        images: 1,
        ..Options::default()
    };
    let built = build(&subject.export("c", &options).unwrap(), DEFINED);
    built.assert_is(
        &subject.model,
        &subject.images.pixels.head(1).map(f64::from),
    );
}
