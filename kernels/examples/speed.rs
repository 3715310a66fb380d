use fixtures::*;
use kernels::{Executor, dispatch, executor::*};
use std::time::Instant;
fn main() {
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
