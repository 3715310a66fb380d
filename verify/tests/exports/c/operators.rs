//! Operators that no committed network has: strides, padding by a code, dilation, groups, means.

use quant::Rounding;
use quant::Scale;
use quant::contracts::Channel;
use quant::scheme::{Grid, QuantParams};
use reference::ops::AveragePoolGeometry;
use reference::{Conv2dGeometry, PoolGeometry, Tensor};
use verify::export::Options;
use verify::model::{
    Accumulate, Accumulator, Arithmetic, AveragePool, FlattenOrder, GOLDEN, MeanRounding, Model,
    ModelScheme, Node, Overflow, Requantize, Step, Values,
};

use super::compiler::{SANITIZED, build, found};
use crate::exports::subject::Subject;

/// A chain that is grown a step at a time; shapes are those that the steps give.
struct Chain {
    model: Model,
    random: u32,
}

impl Chain {
    fn new(model: &Model) -> Self {
        let mut model = model.clone();
        model.nodes.truncate(1);
        Self { model, random: 7 }
    }

    fn shape(&self) -> Vec<usize> {
        self.model.nodes.last().unwrap().shape.clone()
    }

    fn next(&mut self, low: i32, high: i32) -> i32 {
        self.random = (self.random.wrapping_mul(1_664_525)).wrapping_add(1_013_904_223);
        low + ((self.random >> 8) % (high - low + 1) as u32) as i32
    }

    fn push(&mut self, name: &str, step: Step, params: Option<QuantParams>) {
        let input: Values = Tensor::full(&self.shape(), 0.0).unwrap();
        let shape = step.run(&input).unwrap().shape().to_vec();
        self.model.nodes.push(Node {
            name: name.into(),
            step,
            shape,
            params,
            weighted: None,
        });
    }

    fn same(&mut self, name: &str, step: Step) {
        let params = self.model.nodes.last().unwrap().params;
        self.push(name, step, params);
    }

    /// uint8 codes come out; weights are uint8 with a zero point a channel where asked.
    fn weighted(
        &mut self,
        name: &str,
        shape: &[usize],
        geometry: Option<Conv2dGeometry>,
        unsigned: bool,
    ) {
        let outputs = shape[0];
        let (low, high) = if unsigned { (0, 255) } else { (-128, 127) };
        let count = shape.iter().product();
        let weight = (0..count).map(|_| self.next(low, high)).collect();
        let zeros = (0..outputs).map(|_| if unsigned { self.next(100, 150) } else { 0 });
        let accumulate = Accumulate {
            geometry,
            weight: Tensor::new(shape, weight).unwrap(),
            weight_zero_points: zeros.collect(),
            bias: (0..outputs)
                .map(|_| self.next(-9000, 9000).into())
                .collect(),
            input_zero_point: 3,
            // No zero point: what lies there counts.
            padding: 77,
            accumulator: Accumulator::Exact,
        };
        self.push(
            &format!("{name}.accumulators"),
            Step::Accumulate(accumulate),
            None,
        );
        let params = QuantParams {
            scale: Scale::new(0.5).unwrap(),
            zero_point: 90,
            grid: Grid {
                bits: 8,
                signed: false,
                narrow: false,
            },
        };
        let channel = |o: usize| Channel {
            clamp: quant::contracts::Clamp::UINT8,
            ..Channel::int8(0.5, 0.002 + 0.0003 * o as f64, 0.5, 90)
        };
        let requantize = Requantize {
            channels: (0..outputs).map(channel).collect(),
            axis: 1,
            arithmetic: Arithmetic::Product(Rounding::TiesToEven),
            overflow: Overflow::Saturate,
        };
        self.push(name, Step::Requantize(requantize), Some(params));
    }

    fn average(&mut self, rounding: Rounding, padding: usize, count_include_pad: bool) {
        let step = Step::AveragePool(AveragePool {
            geometry: AveragePoolGeometry {
                window: PoolGeometry {
                    kernel: [2, 3],
                    stride: [1, 1],
                    padding: [padding; 2],
                },
                count_include_pad,
            },
            zero_point: 90.0,
            rounding: MeanRounding::Rule(rounding),
        });
        self.same(
            &format!("mean-{rounding:?}-{padding}-{count_include_pad}"),
            step,
        );
    }
}

#[test]
fn every_operator_is_the_model_s() {
    if !found() {
        return;
    }
    let mut subject = Subject::new("lab", ModelScheme::MaxAbs, GOLDEN);
    let mut chain = Chain::new(&subject.model);
    let geometry = Conv2dGeometry {
        stride: [2, 1],
        padding: [1, 3],
        dilation: [1, 2],
        groups: 3,
    };
    chain.weighted("conv.1", &[6, 1, 3, 2], Some(geometry), true);
    chain.same(
        "pool",
        Step::MaxPool(PoolGeometry {
            kernel: [3, 2],
            stride: [2, 1],
            padding: [1, 1],
        }),
    );
    // After a pool: a step of its own.
    chain.same("relu", Step::Relu { low: 95.0 });
    for rounding in Rounding::ALL {
        chain.average(rounding, 0, true);
    }
    chain.average(Rounding::TiesToEven, 1, true);
    chain.average(Rounding::TiesToEven, 1, false);
    let groups = Conv2dGeometry {
        groups: 2,
        ..Conv2dGeometry::default()
    };
    chain.weighted("conv2", &[4, 3, 3, 3], Some(groups), false);
    chain.same("relu2", Step::Relu { low: 90.0 });
    chain.same("hwc", Step::Flatten(FlattenOrder::Hwc));
    let features = chain.shape()[1];
    chain.weighted("0_fc", &[7, features], None, true);
    chain.same("end", Step::Identity);
    subject.model = chain.model;
    let pixels = subject.images.pixels.head(4).map(f64::from);
    let built = build(
        &subject.export("c", &Options::default()).unwrap(),
        SANITIZED,
    );
    built.assert_is(&subject.model, &pixels);
}
