//! Every available kernel set gives the codes of the interpreter of every scheme: random
//! networks on random grids, extreme codes, and the committed networks under all schemes; and
//! every path there is was taken.

use std::collections::BTreeMap;

use fixtures::scheme::SchemeFixtures;
use fixtures::{Fixtures, ImageSet, NETWORKS, NetworkFixture};
use kernels::affine::{LayerPath, Sums};
use kernels::{AffineExecutor, dispatch};
use quant::Scale;
use quant::affine::{AffineNetwork, AffineWeights, Calibration, Executor};
use quant::scheme::{Grid, QuantParams, Scheme, Symmetry};
use reference::ops::AveragePoolGeometry;
use reference::{Conv2dGeometry, InputSpec, Layer, Network, Op, PoolGeometry, ShapeError, Tensor};

/// How often each path was taken.
type Taken = BTreeMap<&'static str, usize>;

fn name(path: LayerPath) -> &'static str {
    match (path.sums, path.certified) {
        (Sums::Bytes, true) => "bytes, certified",
        (Sums::Bytes, false) => "bytes, formula",
        (Sums::Words, true) => "words, certified",
        (Sums::Words, false) => "words, formula",
        (Sums::Split { parts: 2 }, _) => "two parts",
        (Sums::Split { .. }, _) => "more parts",
        (Sums::Floats, _) => "floats",
    }
}

/// The golden codes less their zero point are the scores of every kernel set.
fn same(network: &AffineNetwork, images: &Tensor<f32>, what: &str, taken: &mut Taken) {
    let expected = network.scores(images).unwrap();
    let sets = dispatch::available();
    assert!(!sets.is_empty(), "no kernel set ran");
    for set in sets {
        let executor = AffineExecutor::new(network.clone(), set);
        let isa = set.isa();
        for path in executor.layers() {
            *taken.entry(name(path)).or_default() += 1;
        }
        let got = executor.forward(images).unwrap();
        assert_eq!(got.shape(), expected.shape(), "{what}, {isa}");
        let differs = (got.data().iter().zip(expected.data())).position(|(a, b)| a != b);
        if let Some(at) = differs {
            panic!(
                "{what}, {isa}, {:?}: expected {}, got {} at {:?}, {} in all\n{network:?}",
                executor.layers(),
                expected.data()[at],
                got.data()[at],
                got.position(at),
                expected.data().len(),
            );
        }
        // Again, in memory that was used.
        assert_eq!(
            executor.forward(images).unwrap(),
            got,
            "{what}, {isa}, again"
        );
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn yes(&mut self) -> bool {
        self.below(2) == 1
    }

    fn grid(&mut self) -> Grid {
        loop {
            let grid = Grid {
                bits: self.one_of(&[1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 9, 10, 12, 15, 16, 16]),
                signed: self.yes(),
                narrow: self.yes(),
            };
            if grid.is_valid() {
                return grid;
            }
        }
    }

    /// Mostly with a zero point that is near neither end.
    fn params(&mut self, grid: Grid, scale: f64) -> QuantParams {
        let zero_point = match self.below(4) {
            0 => 0,
            1 => self.one_of(&[grid.low(), grid.high()]),
            _ => grid.low() + self.below(grid.steps() as usize + 1) as i32,
        };
        QuantParams {
            scale: Scale::new(scale).unwrap(),
            zero_point,
            grid,
        }
    }

    /// Any codes, or extreme ones, or few that are not near 0.
    fn codes(&mut self, grid: Grid, count: usize) -> Vec<i32> {
        let fill = self.below(4);
        let ends = [grid.low(), grid.high()];
        let end = self.one_of(&ends);
        (0..count)
            .map(|_| match fill {
                0 => end,
                1 => self.one_of(&ends),
                _ => grid.low() + self.below(grid.steps() as usize + 1) as i32,
            })
            .collect()
    }

    /// Integers of a layer whose outputs spread over the codes of its grid.
    fn weights(&mut self, shape: &[usize], input: &QuantParams) -> AffineWeights {
        let [grid, output_grid] = [self.grid(), self.grid()];
        let outputs = shape[0];
        let row: usize = shape[1..].iter().product();
        let several = self.yes();
        let params: Vec<QuantParams> = (0..if several { outputs } else { 1 })
            .map(|_| {
                let scale = self.one_of(&[0.5, 0.3, 1.0]);
                self.params(grid, scale)
            })
            .collect();
        let steps = |grid: Grid| f64::from(grid.steps());
        // Power-of-two scales put accumulators on ties.
        let reach = steps(grid) * steps(input.grid) * (row as f64).sqrt();
        let spread =
            reach * input.scale.wide() / steps(output_grid) / self.one_of(&[1.0, 3.0, 9.0]);
        let scale = match self.yes() {
            true => spread,
            false => 2f64.powi(spread.log2().round() as i32),
        };
        let bias = self.yes().then(|| {
            let most = self.one_of(&[1usize, 1000, reach as usize + 1]);
            (0..outputs)
                .map(|_| self.below(2 * most + 1) as i64 - most as i64)
                .collect()
        });
        let codes = self.codes(grid, outputs * row);
        let output = self.params(output_grid, scale.max(1e-3));
        AffineWeights::new(
            Tensor::new(shape, codes).unwrap(),
            params,
            bias,
            input,
            output,
        )
    }

    fn conv(&mut self, [c, h, w]: [usize; 3], input: &QuantParams) -> Op<AffineWeights> {
        let groups = self.one_of(&[1, 1, c]);
        let dilation = [self.one_of(&[1, 1, 2]), self.one_of(&[1, 1, 2])];
        let padding = [self.below(3), self.below(3)];
        let kernel = [0, 1].map(|axis| {
            let most = ([h, w][axis] + 2 * padding[axis] - 1) / dilation[axis] + 1;
            1 + self.below(most.min(5))
        });
        let stride = [self.one_of(&[1, 1, 2, 3]), self.one_of(&[1, 1, 2])];
        let per_group = 1 + self.below(if groups == 1 { 20 } else { 3 });
        let shape = [groups * per_group, c / groups, kernel[0], kernel[1]];
        Op::Conv2d {
            geometry: Conv2dGeometry {
                stride,
                padding,
                dilation,
                groups,
            },
            weights: self.weights(&shape, input),
        }
    }

    fn pool(&mut self, [_, h, w]: [usize; 3]) -> Op<AffineWeights> {
        let window = match self.below(3) {
            0 | 1 if h >= 2 && w >= 2 => PoolGeometry {
                kernel: [2, 2],
                stride: [2, 2],
                padding: [0, 0],
            },
            _ => {
                let kernel = [1 + self.below(h.min(4)), 1 + self.below(w.min(4))];
                PoolGeometry {
                    kernel,
                    stride: [1 + self.below(3), 1 + self.below(3)],
                    padding: kernel.map(|k| self.below(k / 2 + 1)),
                }
            }
        };
        match self.below(3) {
            0 => Op::AveragePool2d(AveragePoolGeometry {
                window,
                count_include_pad: self.yes(),
            }),
            _ => Op::MaxPool2d(window),
        }
    }

    fn network(&mut self) -> Option<AffineNetwork> {
        let shape = [1 + self.below(5), 1 + self.below(14), 1 + self.below(18)];
        let grid = self.grid();
        let input = self.params(grid, 1.0);
        let mut ops: Vec<Op<AffineWeights>> = Vec::new();
        let mut params = input;
        let mut at = shape.to_vec();
        let after = |ops: &[Op<AffineWeights>]| built(shape, input, ops.to_vec());
        for _ in 0..self.below(4) {
            let maps = [at[0], at[1], at[2]];
            let op = match self.below(5) {
                0 => Op::Relu,
                1 => self.pool(maps),
                _ => self.conv(maps, &params),
            };
            ops.push(op);
            if let Some(Op::Conv2d { weights, .. }) = ops.last() {
                params = weights.output;
                let follow = self.below(5);
                if follow % 2 == 1 {
                    ops.push(Op::Relu);
                }
                let network = after(&ops)?;
                at = network.network().shapes().last()?[1..].to_vec();
                if follow > 1 {
                    ops.push(self.pool([at[0], at[1], at[2]]));
                }
                if follow == 4 {
                    ops.push(Op::Relu);
                }
            }
            let network = after(&ops)?;
            at = network.network().shapes().last()?[1..].to_vec();
        }
        if self.below(4) > 0 {
            ops.push(Op::Flatten);
            for _ in 0..1 + self.below(2) {
                let features: usize = at.iter().product();
                let outputs = 1 + self.below(40);
                let weights = self.weights(&[outputs, features], &params);
                params = weights.output;
                at = vec![outputs];
                ops.push(Op::Linear { weights });
                if self.yes() {
                    ops.push(Op::Relu);
                }
            }
        }
        after(&ops)
    }

    /// Values that are every code, ties, what is beyond, and no number.
    fn images(&mut self, network: &AffineNetwork) -> Tensor<f32> {
        let [c, h, w] = network.network().input().shape;
        let items = self.one_of(&[1, 2, 3, 30]);
        let [low, high] = network.input().reach();
        let fill = self.below(4);
        let values = (0..items * c * h * w).map(|_| match (fill, self.below(20)) {
            (0, _) => self.one_of(&[low as f32, high as f32]),
            (1, 0) => self.one_of(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, 1e30]),
            _ => {
                let halves = self.below(2 * (high - low) as usize + 3) as f64 - 1.0;
                (low + halves / 2.0) as f32
            }
        });
        Tensor::new(&[items, c, h, w], values.collect()).unwrap()
    }
}

/// `None` where shapes or accumulators do not fit.
fn built(
    shape: [usize; 3],
    input: QuantParams,
    ops: Vec<Op<AffineWeights>>,
) -> Option<AffineNetwork> {
    let spec = InputSpec {
        shape,
        mean: 0.0,
        std: 1.0,
    };
    let layers = (ops.into_iter().enumerate())
        .map(|(i, op)| Layer {
            name: format!("layer{i}"),
            op,
        })
        .collect();
    AffineNetwork::new(Network::new("random", spec, layers).ok()?, input).ok()
}

fn params(bits: u32, signed: bool, zero_point: i32, scale: f64) -> QuantParams {
    QuantParams {
        scale: Scale::new(scale).unwrap(),
        zero_point,
        grid: Grid {
            bits,
            signed,
            narrow: false,
        },
    }
}

#[test]
fn random_networks_take_every_path_of_the_kernels() {
    let mut taken = Taken::new();
    let mut ran = 0;
    for seed in 0..1500u64 {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1));
        let Some(network) = random.network() else {
            continue;
        };
        let images = random.images(&network);
        same(&network, &images, &format!("seed {seed}"), &mut taken);
        ran += 1;
    }
    println!("{ran} networks: {taken:?}");
    assert!(ran > 1000, "{ran} networks ran");
    for path in [
        "bytes, certified",
        "bytes, formula",
        "words, certified",
        "words, formula",
        "two parts",
    ] {
        assert!(
            taken.get(path).is_some_and(|&times| times > 20),
            "{path}: {taken:?}"
        );
    }
}

/// 16 bits a side: the more features, the smaller the digits.
#[test]
fn many_features_are_summed_in_more_parts() {
    let mut random = Random(9);
    for (features, signed, parts) in [(300, true, 2), (3_000, false, 3), (9_000, true, 5)] {
        let grid = params(16, signed, 0, 1.0).grid;
        let input = random.params(grid, 1.0);
        let codes = (0..3 * features)
            .map(|_| random.below(1 << 16) as i32 - (1 << 15))
            .collect();
        let weights = AffineWeights::new(
            Tensor::new(&[3, features], codes).unwrap(),
            vec![params(16, true, 77, 0.5)],
            Some(vec![1 << 40, 0, -1]),
            &input,
            params(16, false, 30_000, 1e5 * (features as f64).sqrt()),
        );
        let ops = vec![Op::Flatten, Op::Linear { weights }, Op::Relu];
        let network = built([features, 1, 1], input, ops).unwrap();
        let executor = AffineExecutor::new(network.clone(), dispatch::portable());
        assert_eq!(executor.layers()[0].sums, Sums::Split { parts });
        let images = random.images(&network);
        let what = format!("{features} features");
        same(&network, &images, &what, &mut Taken::new());
    }
}

/// 16 bits a side: every digit of these weights is at least 4 in size, 20,000 of them.
fn too_wide() -> AffineNetwork {
    let input = params(16, false, 0, 1.0);
    let codes = Tensor::new(&[2, 20_000], vec![-18_724; 40_000]).unwrap();
    let weights = AffineWeights::new(
        codes,
        vec![params(16, true, 0, 1.0)],
        None,
        &input,
        params(16, true, 5, 3e8),
    );
    let ops = vec![Op::Flatten, Op::Linear { weights }];
    built([1, 1, 20_000], input, ops).unwrap()
}

#[test]
fn what_no_sums_hold_runs_in_floats() {
    let mut taken = Taken::new();
    let wide = too_wide();
    let images = Random(3).images(&wide);
    same(&wide, &images.head(2), "too wide", &mut taken);
    // Codes that fall as the accumulator rises: the largest sum is not the largest code.
    let input = params(8, true, 3, 1.0);
    let mut falling = AffineWeights::new(
        Tensor::new(&[1, 1, 2, 2], vec![1, 2, 3, 4]).unwrap(),
        vec![params(8, true, 0, 1.0)],
        None,
        &input,
        params(8, true, 0, 8.0),
    );
    falling.multipliers[0] *= -1.0;
    let conv = Op::Conv2d {
        geometry: Conv2dGeometry::default(),
        weights: falling,
    };
    let pool = Op::MaxPool2d(PoolGeometry {
        kernel: [2, 2],
        stride: [2, 2],
        padding: [0, 0],
    });
    let falling = built([1, 5, 5], input, vec![conv, pool]).unwrap();
    let images = Random(4).images(&falling);
    same(&falling, &images, "falling", &mut taken);
    let sets = dispatch::available().len();
    assert_eq!(taken, Taken::from([("floats", 2 * sets)]));
}

/// The int32 accumulator is reached to the last one, and not beyond.
#[test]
fn the_largest_int32_is_one_sum_and_the_next_is_not() {
    let input = params(8, true, 0, 1.0);
    for (bias, sums) in [
        (i64::from(i32::MAX) - 128 * 127, Sums::Bytes),
        (i64::from(i32::MAX) - 128 * 127 + 1, Sums::Words),
    ] {
        let weights = AffineWeights::new(
            Tensor::new(&[1, 1], vec![-127]).unwrap(),
            vec![params(8, true, 0, 1.0)],
            Some(vec![bias]),
            &input,
            params(16, true, 0, 65_536.0),
        );
        let network = built([1, 1, 1], input, vec![Op::Flatten, Op::Linear { weights }]).unwrap();
        let executor = AffineExecutor::new(network.clone(), dispatch::portable());
        assert_eq!(executor.layers()[0].sums, sums);
        let images = Tensor::new(&[3, 1, 1, 1], vec![-128.0, 0.0, 127.0]).unwrap();
        same(&network, &images, "the largest", &mut Taken::new());
    }
}

#[test]
fn committed_networks_match_under_every_scheme() {
    let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
    let mut taken = Taken::new();
    for name in NETWORKS {
        let fixture = NetworkFixture::load(&fixtures, name).unwrap();
        let images = ImageSet::load(&fixtures, &fixture.data).unwrap();
        let normalize = |pixels| fixture.network.input().normalize(pixels);
        let calibration =
            Calibration::run(&fixture.network, &normalize(&images.calibration)).unwrap();
        let mut schemes: Vec<Scheme> = SchemeFixtures::load(&fixtures, name)
            .unwrap()
            .schemes
            .into_iter()
            .map(|golden| golden.scheme)
            .collect();
        for bits in 1..=16 {
            let uniform = [Symmetry::Symmetric, Symmetry::Asymmetric];
            schemes.extend(uniform.map(|symmetry| Scheme::uniform(bits, symmetry)));
        }
        let images = normalize(&images.pixels.head(8));
        for scheme in schemes {
            let ranges = calibration.ranges(&scheme).unwrap();
            let network = AffineNetwork::quantize(&fixture.network, &ranges, scheme).unwrap();
            same(
                &network,
                &images,
                &format!("{name}, {scheme:?}"),
                &mut taken,
            );
        }
    }
    println!("{taken:?}");
    assert_eq!(taken.get("floats"), None, "{taken:?}");
}

#[test]
fn images_of_another_shape_are_an_error_and_none_are_none() {
    let input = params(8, true, 0, 1.0);
    let network = built([2, 1, 3], input, vec![Op::Relu]).unwrap();
    let executor = AffineExecutor::new(network, dispatch::portable());
    for shape in [&[1, 2, 1, 2][..], &[2, 1, 3], &[6], &[]] {
        let images = Tensor::full(shape, 0.0f32).unwrap();
        let refused = executor.forward(&images);
        assert!(
            matches!(refused, Err(ShapeError::Shapes { .. })),
            "{shape:?}"
        );
    }
    let none = Tensor::full(&[0, 2, 1, 3], 0.0f32).unwrap();
    assert_eq!(executor.forward(&none).unwrap().shape(), [0, 2, 1, 3]);
}
