//! A random network of any scheme, or one layer of it.

use quant::Scale;
use quant::affine::{AffineNetwork, AffineWeights};
use quant::prove::Random;
use quant::scheme::{Grid, QuantParams};
use reference::ops::AveragePoolGeometry;
use reference::{Conv2dGeometry, Op, PoolGeometry, Tensor};

use super::super::{chain, size};

/// A chain of layers of all kinds; `None` where shapes or accumulators do not fit.
pub(super) fn network(random: &mut Random) -> Option<AffineNetwork> {
    let shape = [
        1 + random.below(5),
        1 + random.below(14),
        1 + random.below(18),
    ];
    let grid = any_grid(random);
    let input = any_params(random, grid, 1.0)?;
    let mut ops: Vec<Op<AffineWeights>> = Vec::new();
    let mut params = input;
    let mut at = shape.to_vec();
    let after = |ops: &[Op<AffineWeights>]| {
        AffineNetwork::new(chain(shape, ops.to_vec()).ok()?, input).ok()
    };
    for _ in 0..random.below(4) {
        let maps = [at[0], at[1], at[2]];
        let op = match random.below(5) {
            0 => Op::Relu,
            1 => any_pool(random, maps),
            _ => any_conv(random, maps, &params)?,
        };
        ops.push(op);
        if let Some(Op::Conv2d { weights, .. }) = ops.last() {
            params = weights.output;
            let follow = random.below(5);
            if follow % 2 == 1 {
                ops.push(Op::Relu);
            }
            let network = after(&ops)?;
            at = network.network().shapes().last()?[1..].to_vec();
            if follow > 1 {
                ops.push(any_pool(random, [at[0], at[1], at[2]]));
            }
            if follow == 4 {
                ops.push(Op::Relu);
            }
        }
        let network = after(&ops)?;
        at = network.network().shapes().last()?[1..].to_vec();
    }
    if random.below(4) > 0 {
        ops.push(Op::Flatten);
        for _ in 0..1 + random.below(2) {
            let features: usize = at.iter().product();
            let outputs = size(random, 65);
            let weights = any_weights(random, &[outputs, features], &params)?;
            params = weights.output;
            at = vec![outputs];
            ops.push(Op::Linear { weights });
            if random.one_in(2) {
                ops.push(Op::Relu);
            }
        }
    }
    after(&ops)
}

/// One weighted layer, whose own codes come out, and what may follow it.
pub(super) fn layer(random: &mut Random) -> Option<AffineNetwork> {
    let channels = match random.one_in(2) {
        true => 1 + random.below(4),
        false => size(random, 33),
    };
    let shape = [channels, 1 + random.below(8), 1 + random.below(10)];
    let grid = any_grid(random);
    let input = any_params(random, grid, 1.0)?;
    let mut ops = match random.below(4) {
        0 => {
            let shape = [size(random, 65), shape.iter().product()];
            let weights = any_weights(random, &shape, &input)?;
            vec![Op::Flatten, Op::Linear { weights }]
        }
        _ => vec![any_conv(random, shape, &input)?],
    };
    if random.one_in(3) {
        ops.push(Op::Relu);
    }
    let network = |ops: Vec<Op<_>>| AffineNetwork::new(chain(shape, ops).ok()?, input).ok();
    let made = network(ops.clone())?;
    match made.network().shapes().last()?[1..] {
        [c, h, w] if random.one_in(3) => {
            ops.push(any_pool(random, [c, h, w]));
            network(ops)
        }
        _ => Some(made),
    }
}

fn any_grid(random: &mut Random) -> Grid {
    loop {
        let grid = Grid {
            bits: random.one_of(&[1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 9, 10, 12, 15, 16, 16]),
            signed: random.one_in(2),
            narrow: random.one_in(2),
        };
        if grid.is_valid() {
            return grid;
        }
    }
}

/// Mostly with a zero point that is near neither end.
fn any_params(random: &mut Random, grid: Grid, scale: f64) -> Option<QuantParams> {
    let zero_point = match random.below(4) {
        0 => 0,
        1 => random.one_of(&[grid.low(), grid.high()]),
        _ => grid.low() + random.below(grid.steps() as usize + 1) as i32,
    };
    Some(QuantParams {
        scale: Scale::new(scale).ok()?,
        zero_point,
        grid,
    })
}

/// Any codes, or extreme ones, or few that are not near 0.
fn any_codes(random: &mut Random, grid: Grid, count: usize) -> Vec<i32> {
    let fill = random.below(4);
    let ends = [grid.low(), grid.high()];
    let end = random.one_of(&ends);
    (0..count)
        .map(|_| match fill {
            0 => end,
            1 => random.one_of(&ends),
            _ => grid.low() + random.below(grid.steps() as usize + 1) as i32,
        })
        .collect()
}

/// Integers of a layer whose outputs spread over the codes of its grid.
fn any_weights(random: &mut Random, shape: &[usize], input: &QuantParams) -> Option<AffineWeights> {
    let [grid, output_grid] = [any_grid(random), any_grid(random)];
    let outputs = shape[0];
    let row: usize = shape[1..].iter().product();
    let [several, symmetric] = [random.one_in(2), random.one_in(2)];
    let params: Vec<QuantParams> = (0..if several { outputs } else { 1 })
        .map(|_| {
            let scale = random.one_of(&[0.5, 0.3, 1.0]);
            let mut params = any_params(random, grid, scale)?;
            if symmetric {
                params.zero_point = 0;
            }
            Some(params)
        })
        .collect::<Option<_>>()?;
    let steps = |grid: Grid| f64::from(grid.steps());
    // Power-of-two scales put accumulators on ties.
    let reach = steps(grid) * steps(input.grid) * (row as f64).sqrt();
    let spread = reach * input.scale.wide() / steps(output_grid) / random.one_of(&[1.0, 3.0, 9.0]);
    let scale = match random.one_in(2) {
        true => spread,
        false => 2f64.powi(spread.log2().round() as i32),
    };
    let bias = random.one_in(2).then(|| {
        let most = random.one_of(&[1usize, 1000, reach as usize + 1]);
        (0..outputs)
            .map(|_| random.below(2 * most + 1) as i64 - most as i64)
            .collect()
    });
    let codes = any_codes(random, grid, outputs * row);
    let output = any_params(random, output_grid, scale.max(1e-3))?;
    let codes = Tensor::new(shape, codes).ok()?;
    Some(AffineWeights::new(codes, params, bias, input, output))
}

fn any_conv(
    random: &mut Random,
    [c, h, w]: [usize; 3],
    input: &QuantParams,
) -> Option<Op<AffineWeights>> {
    let groups = random.one_of(&[1, 1, c]);
    let dilation = [random.one_of(&[1, 1, 2]), random.one_of(&[1, 1, 2])];
    let padding = [random.below(3), random.below(3)];
    let kernel = [0, 1].map(|axis| {
        let most = ([h, w][axis] + 2 * padding[axis] - 1) / dilation[axis] + 1;
        1 + random.below(most.min(5))
    });
    let stride = [random.one_of(&[1, 1, 2, 3]), random.one_of(&[1, 1, 2])];
    let per_group = match groups {
        1 => size(random, 33),
        _ => random.one_of(&[1, 1, 2, 3]),
    };
    let shape = [groups * per_group, c / groups, kernel[0], kernel[1]];
    let geometry = Conv2dGeometry {
        stride,
        padding,
        dilation,
        groups,
    };
    let weights = any_weights(random, &shape, input)?;
    Some(Op::Conv2d { geometry, weights })
}

fn any_pool(random: &mut Random, [_, h, w]: [usize; 3]) -> Op<AffineWeights> {
    let window = match random.below(3) {
        0 | 1 if h >= 2 && w >= 2 => PoolGeometry {
            kernel: [2, 2],
            stride: [2, 2],
            padding: [0, 0],
        },
        _ => {
            let kernel = [1 + random.below(h.min(4)), 1 + random.below(w.min(4))];
            PoolGeometry {
                kernel,
                stride: [1 + random.below(3), 1 + random.below(3)],
                padding: kernel.map(|k| random.below(k / 2 + 1)),
            }
        }
    };
    match random.below(3) {
        0 => Op::AveragePool2d(AveragePoolGeometry {
            window,
            count_include_pad: random.one_in(2),
        }),
        _ => Op::MaxPool2d(window),
    }
}
