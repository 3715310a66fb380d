use fixtures::*;
use kernels::{Executor, dispatch, executor::*};
use std::time::Instant;
fn layer(
    shape: [usize; 4],
    input: [usize; 3],
    pad: usize,
    groups: usize,
    linear: bool,
) -> quant::QuantNetwork {
    use quant::*;
    use reference::*;
    let n: usize = shape.iter().product();
    let mut r = 1u64;
    let w: Vec<i8> = (0..n)
        .map(|_| {
            r = r
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (r >> 56) as i8
        })
        .collect();
    let weights = QuantWeights {
        weight: Tensor::new(if linear { &shape[..2] } else { &shape[..] }, w).unwrap(),
        bias: None,
        weight_scale: Scale::new(1.0).unwrap(),
        output_scale: Scale::new(5000.0).unwrap(),
    };
    let ops = if linear {
        vec![Op::Flatten, Op::Linear { weights }]
    } else {
        vec![Op::Conv2d {
            geometry: Conv2dGeometry {
                stride: [1, 1],
                padding: [pad, pad],
                dilation: [1, 1],
                groups,
            },
            weights,
        }]
    };
    let layers = ops
        .into_iter()
        .enumerate()
        .map(|(i, op)| Layer {
            name: format!("l{i}"),
            op,
        })
        .collect();
    QuantNetwork::new(
        Network::new(
            "x",
            InputSpec {
                shape: input,
                mean: 0.0,
                std: 1.0,
            },
            layers,
        )
        .unwrap(),
        Scale::new(1.0).unwrap(),
        Rounding::TiesToEven,
    )
    .unwrap()
}
fn ops() {
    for set in dispatch::available()
        .into_iter()
        .filter(|k| std::env::args().nth(1).is_none_or(|a| a == k.isa().name()))
    {
        let mut list: Vec<(String, quant::QuantNetwork, usize, f64)> = vec![];
        for m in [64usize, 128, 256, 512, 1024, 2048] {
            list.push((
                format!("matmul {m}"),
                layer([m, m, 1, 1], [m, 1, 1], 0, 1, true),
                m,
                (m * m * m) as f64,
            ));
        }
        for (o, i, k, hw, p, g) in [
            (64, 64, 3, 56, 1, 1),
            (128, 128, 3, 28, 1, 1),
            (64, 256, 1, 56, 0, 1),
            (512, 512, 3, 7, 1, 1),
            (32, 1, 3, 112, 1, 32),
            (512, 1, 3, 14, 1, 512),
            (6, 3, 5, 32, 0, 1),
            (16, 6, 5, 14, 0, 1),
        ] {
            let out = hw + 2 * p - k + 1;
            list.push((
                format!("conv {k}x{k} {}->{o} {hw} g{g}", i * g),
                layer([o, i, k, k], [i * g, hw, hw], p, g, false),
                1,
                (o * i * k * k * out * out) as f64,
            ));
        }
        for (name, net, batch, macs) in list
            .iter()
            .filter(|l| std::env::args().nth(3).is_none_or(|a| l.0.contains(&a)))
        {
            let ex = Executor::new(net, set).unwrap();
            let mut s = [ex.session()];
            let item: usize = net.network().input().shape.iter().product();
            let codes: Vec<i8> = (0..item * batch).map(|i| (i * 37 % 251) as i8).collect();
            let o: usize = net.network().shapes().last().unwrap()[1..].iter().product();
            let mut out = vec![0i8; o * batch];
            let reps = ((2e8 / macs) as usize).max(1);
            let mut best = f64::MAX;
            for _ in 0..20 {
                let t = Instant::now();
                for _ in 0..reps {
                    ex.run(&mut s, &codes, Order::Nhwc, &mut out);
                }
                best = best.min(t.elapsed().as_secs_f64() / reps as f64);
            }
            println!(
                "{:12} {name:30} {:8.1} us {:7.1} GMAC/s",
                set.isa().name(),
                best * 1e6,
                macs / best / 1e9
            );
        }
    }
}
fn main() {
    if std::env::args().nth(2).as_deref() == Some("ops") {
        return ops();
    }
    let f = Fixtures::open(Fixtures::committed_root()).unwrap();
    for name in ["lab", "lenet5-mnist"]
        .into_iter()
        .filter(|n| std::env::args().nth(2).is_none_or(|a| a == *n))
    {
        let fx = NetworkFixture::load(&f, name).unwrap();
        let im = ImageSet::load(&f, &fx.data).unwrap();
        let codes = fx
            .int8
            .network
            .input_codes(&fx.network.input().normalize(&im.pixels));
        let n = codes.shape()[0];
        for set in dispatch::available()
            .into_iter()
            .filter(|k| std::env::args().nth(1).is_none_or(|a| a == k.isa().name()))
        {
            let ex = Executor::new(&fx.int8.network, set).unwrap();
            let mut s = [ex.session()];
            for batch in [1usize, 64, 1000]
                .into_iter()
                .filter(|n| std::env::args().nth(3).is_none_or(|a| a == n.to_string()))
            {
                let item = codes.item_len();
                let mut out = vec![0i8; batch * 10];
                let b = batch.min(n);
                let mut best = f64::MAX;
                for _ in 0..60 {
                    let reps = (1000 / batch).max(1);
                    let t = Instant::now();
                    for r in 0..reps {
                        let o = if batch == 1 { r % n } else { 0 };
                        ex.run(
                            &mut s,
                            &codes.data()[o * item..(o + b) * item],
                            Order::Nhwc,
                            &mut out[..b * 10],
                        );
                    }
                    best = best.min(t.elapsed().as_secs_f64() / (reps * b) as f64);
                }
                println!(
                    "{name} {:12} batch {batch:4}: {:.2} us  {:.0} img/s",
                    set.isa().name(),
                    best * 1e6,
                    1.0 / best
                );
            }
        }
    }
}
