//! Every contract that never falls runs in the kernels: certified constants give its codes for
//! every accumulator of the reach, on every instruction set.

use kernels::dispatch;
use kernels::requantizer::{Channel as Certified, Requantizer, Scaling, Stored};
use quant::contracts::{ALL, Channel};
use quant::prove::Random;

/// Accumulators on either side.
const REACH: i32 = 60_000;

/// A published example, powers of two, which put accumulators on ties, and random scales.
fn channels() -> Vec<Channel> {
    let mut random = Random::new(3);
    let mut channels = vec![
        Channel::of_multiplier(0.25, 0),
        Channel::of_multiplier(0.0625, 3),
        Channel::of_multiplier(1.0 / 1024.0, -5),
        Channel::int8(0.052_961_246, 0.024_093_779, 0.114_843_28, -126),
    ];
    for _ in 0..12 {
        let mut scale = || f64::from(random.unit().abs()) * 0.1 + 1e-3;
        let [input, weight, output] = [scale(), scale(), scale()];
        let zero_point = random.below(256) as i32 - 128;
        channels.push(Channel::int8(input, weight, output, zero_point));
    }
    channels
}

#[test]
fn certified_constants_give_a_contracts_codes() {
    let accumulators: Vec<i32> = (-REACH..=REACH).collect();
    let sets = dispatch::available();
    let mut table = Vec::new();
    for contract in ALL {
        let (mut certified, mut refused, mut falling, mut divided) = (0, 0, 0, 0);
        for channel in channels() {
            let Ok(prepared) = contract.prepare(&channel) else {
                continue;
            };
            let mut codes = vec![0; accumulators.len()];
            prepared.requantize_all(&accumulators, &mut codes);
            if !codes.is_sorted() {
                falling += 1;
                continue;
            }
            let code = |acc: i32| codes[(acc + REACH) as usize];
            let one = Certified {
                reach: -REACH..=REACH,
                slope: channel.multiplier(),
                code: &code,
            };
            let found = Requantizer::certify(
                &[one],
                channel.output_zero_point,
                Stored::Signed,
                Stored::Signed.codes(),
            );
            let Some(requantizer) = found else {
                refused += 1;
                continue;
            };
            certified += 1;
            divided += usize::from(requantizer.scaling() == Scaling::Divide);
            for set in &sets {
                let mut stored = vec![0; codes.len()];
                set.requantize(&accumulators, &requantizer, &mut stored);
                let wrong = (stored.iter().zip(&codes))
                    .position(|(&stored, &code)| i32::from(stored) - 128 != code);
                assert_eq!(
                    wrong.map(|at| accumulators[at]),
                    None,
                    "{contract:?} of {channel:?} on {}",
                    set.isa()
                );
            }
        }
        table.push(format!(
            "{:<28} {certified:>3} certified ({divided} by division), {refused:>3} not, {falling:>3} fall",
            contract.name
        ));
        assert!(certified > 0, "{contract:?} was never certified");
    }
    println!("{}", table.join("\n"));
}
