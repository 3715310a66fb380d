//! Every contract of add runs in the kernels: all 2¹⁶ pairs of codes, on every instruction set.

use kernels::requantizer::Stored;
use kernels::{Add, dispatch};
use quant::contracts::Clamp;
use quant::contracts::operators::Grid;
use quant::contracts::operators::add::{ALL, Addition};
use quant::prove::Random;

fn sites(stored: Stored) -> Vec<Addition> {
    let mut random = Random::new(4);
    let shift = stored.shift();
    let [low, high] = [*stored.codes().start(), *stored.codes().end()];
    let site = |scales: [f64; 3], zero_points: [i32; 3], low: i32| {
        let grid = |at: usize| Grid {
            scale: scales[at],
            zero_point: zero_points[at],
        };
        Addition {
            first: grid(0),
            second: grid(1),
            output: grid(2),
            clamp: Clamp { low, high },
        }
    };
    // Powers of two put sums on ties.
    let mut sites = vec![
        site([0.5, 0.25, 1.0], [0, 0, 0], low),
        site([0.5, 0.5, 1.0], [3, 0, 7], 7),
    ];
    for _ in 0..6 {
        let mut scale = || f64::from(random.unit().abs()) * 0.1 + 1e-3;
        let scales = [scale(), scale(), scale()];
        let zero_points = [0; 3].map(|_| random.below(256) as i32 - shift);
        sites.push(site(scales, zero_points, low));
    }
    sites
}

#[test]
fn every_pair_of_codes_has_the_contracts_sum() {
    let pairs: Vec<[u8; 2]> = (0..=u8::MAX)
        .flat_map(|a| (0..=u8::MAX).map(move |b| [a, b]))
        .collect();
    let [a, b] = [0, 1].map(|which| pairs.iter().map(|pair| pair[which]).collect::<Vec<u8>>());
    for stored in [Stored::Signed, Stored::Unsigned] {
        let (mut calculated, mut looked_up) = (0, 0);
        let shift = stored.shift();
        for site in sites(stored) {
            for contract in ALL {
                let Ok(prepared) = contract.prepare(&site) else {
                    continue;
                };
                for set in dispatch::available() {
                    let add = Add::new(set, &*prepared, &site, stored);
                    let mut out = vec![0; pairs.len()];
                    add.run(&a, &b, &mut out);
                    for (pair, &sum) in pairs.iter().zip(&out) {
                        let codes = pair.map(|code| i32::from(code) - shift);
                        let expected = prepared.add(codes[0], codes[1]);
                        assert_eq!(
                            i32::from(sum) - shift,
                            expected,
                            "{contract:?}, {codes:?}, {site:?}, {}",
                            set.isa()
                        );
                    }
                    match add.is_lookup() {
                        true => looked_up += 1,
                        false => calculated += 1,
                    }
                }
            }
        }
        println!("{stored:?}: {calculated} calculated, {looked_up} looked up");
        assert!(
            calculated > 50 && looked_up > 20,
            "{calculated}, {looked_up}"
        );
    }
}
