//! A random int8 network, whose sizes lie around the edges of tiles and vectors.

use quant::prove::Random;
use quant::{QuantNetwork, QuantWeights, Rounding, Scale};
use reference::ops::AveragePoolGeometry;
use reference::{Conv2dGeometry, Op, PoolGeometry, Tensor};

use super::super::{Kind, chain, size};

/// The network of a kind, and input codes; `None` if its accumulators do not fit int32.
pub(super) fn make(kind: Kind, random: &mut Random) -> Option<(QuantNetwork, Tensor<i8>)> {
    let mut layers = Vec::new();
    let images = 1 + random.below(3);
    let shape = match kind {
        Kind::Linear => {
            let inputs = size(random, 65) * (1 + random.below(4));
            layers.push(Op::Flatten);
            layers.push(linear(random, inputs)?);
            [inputs, 1, 1]
        }
        Kind::Pools => {
            let shape = [size(random, 65), 1 + random.below(12), 1 + random.below(20)];
            layers.push(pool(random, shape));
            shape
        }
        _ => {
            let (conv, shape) = conv2d(kind, random)?;
            layers.push(conv);
            shape
        }
    };
    if matches!(kind, Kind::Fused | Kind::Network | Kind::Linear) {
        let pool = PoolGeometry {
            kernel: [2, 2],
            stride: [2, 2],
            padding: [0, 0],
        };
        let maps = of(layers.clone(), shape, random)?;
        let pools = matches!(maps.network().shapes().last()?[..], [_, _, h, w] if h > 1 && w > 1);
        let pool = pools.then_some(Op::MaxPool2d(pool));
        let after = match random.below(4) {
            0 => vec![Some(Op::Relu), pool],
            1 => vec![pool, Some(Op::Relu)],
            2 => vec![pool],
            _ => vec![Some(Op::Relu)],
        };
        // What follows is then fused with nothing: a ReLU is a step of its own.
        if kind == Kind::Linear && random.one_in(3) {
            layers.push(Op::Flatten);
        }
        layers.extend(after.into_iter().flatten());
    }
    if kind == Kind::Network {
        let maps = of(layers.clone(), shape, random)?;
        let features = maps.network().shapes().last()?[1..].iter().product();
        layers.push(Op::Flatten);
        layers.push(linear(random, features)?);
        if random.one_in(2) {
            layers.push(Op::Relu);
        }
    }
    let network = of(layers, shape, random)?;
    let [c, h, w] = shape;
    let input = codes(random, &[images, c, h, w])?;
    Some((network, input))
}

fn of(ops: Vec<Op<QuantWeights>>, shape: [usize; 3], random: &mut Random) -> Option<QuantNetwork> {
    let network = chain(shape, ops).ok()?;
    let rounding = match random.one_in(2) {
        true => Rounding::TiesToEven,
        false => Rounding::ALL[random.below(Rounding::ALL.len())],
    };
    QuantNetwork::new(network, Scale::new(1.0).ok()?, rounding).ok()
}

fn conv2d(kind: Kind, random: &mut Random) -> Option<(Op<QuantWeights>, [usize; 3])> {
    let small = |random: &mut Random, most| 1 + random.below(most);
    let kernel = [small(random, 5), small(random, 5)];
    let mut stride = [1 + random.below(4) / 2, 1 + random.below(4) / 2];
    let mut dilation = [1 + random.below(4) / 3, 1 + random.below(4) / 3];
    let padding = [random.below(3), random.below(3)];
    let (groups, inputs, outputs) = match kind {
        Kind::FewChannels => {
            stride[1] = 1;
            dilation[1] = 1;
            (1, small(random, 4), small(random, 9))
        }
        Kind::Depthwise => {
            let groups = match random.one_in(4) {
                true => 64 * small(random, 3) + random.below(3) - 1,
                false => 1 + size(random, 65),
            };
            (groups, 1, 1)
        }
        Kind::Conv2d => (small(random, 3), size(random, 17), size(random, 65)),
        _ => (1, size(random, 9), size(random, 33)),
    };
    let wide = matches!(kind, Kind::FewChannels | Kind::Fused);
    let most = if wide { [12, 40] } else { [7, 20] };
    let side = [0, 1].map(|axis| {
        let reach = dilation[axis] * (kernel[axis] - 1) + 1;
        small(random, most[axis]).max(reach.saturating_sub(2 * padding[axis]))
    });
    let outputs = outputs * groups;
    let shape = [outputs, inputs, kernel[0], kernel[1]];
    let geometry = Conv2dGeometry {
        stride,
        padding,
        dilation,
        groups,
    };
    let weights = weights(random, &shape)?;
    let op = Op::Conv2d { geometry, weights };
    Some((op, [inputs * groups, side[0], side[1]]))
}

fn linear(random: &mut Random, inputs: usize) -> Option<Op<QuantWeights>> {
    let outputs = size(random, 65) + 64 * random.below(2);
    let weights = weights(random, &[outputs, inputs])?;
    Some(Op::Linear { weights })
}

fn pool(random: &mut Random, [_, height, width]: [usize; 3]) -> Op<QuantWeights> {
    let kernel = [
        1 + random.below(5.min(height)),
        1 + random.below(5.min(width)),
    ];
    let window = PoolGeometry {
        kernel,
        stride: [1 + random.below(3), 1 + random.below(3)],
        padding: kernel.map(|taps| random.below(taps / 2 + 1)),
    };
    match random.below(3) {
        0 => Op::MaxPool2d(window),
        1 => Op::AveragePool2d(AveragePoolGeometry {
            window,
            count_include_pad: random.one_in(2),
        }),
        _ => Op::Relu,
    }
}

/// Codes of one of several kinds: any, the values that break kernels, all the same.
fn codes(random: &mut Random, shape: &[usize]) -> Option<Tensor<i8>> {
    let kind = random.below(6);
    let same = [i8::MIN, i8::MIN, -127, 0, 127][random.below(5)];
    let code = |random: &mut Random| match kind {
        0..3 => (random.below(256) as i16 - 128) as i8,
        3 | 4 => [-128, -127, 0, 1, 127][random.below(5)],
        _ => same,
    };
    let values = (0..shape.iter().product()).map(|_| code(random));
    Tensor::new(shape, values.collect()).ok()
}

/// Scales of powers of two put accumulators on ties, and so do those of half of them.
fn weights(random: &mut Random, shape: &[usize]) -> Option<QuantWeights> {
    let weight = codes(random, shape)?;
    let bias = random.one_in(2).then(|| {
        let values = (0..shape[0]).map(|_| random.below(200_001) as i32 - 100_000);
        values.collect()
    });
    let scale = match random.below(4) {
        0 | 1 => f64::from(1 << random.below(14)),
        2 => f64::from(1 + random.below(5000) as i32),
        _ => f64::from(random.unit().abs()) * 5000.0 + 0.4,
    };
    Some(QuantWeights {
        weight,
        bias,
        weight_scale: Scale::new(1.0).ok()?,
        output_scale: Scale::new(scale).ok()?,
    })
}
