//! Inputs made for single accumulators.

use reference::Tensor;

use super::random::Random;
use crate::model::{Accumulate, Requantize, Term, Values};

/// How many accumulators a channel's reach is sampled at, beside the directed ones.
const SAMPLES: u64 = 4096;

/// Accumulators of a channel within its reach at which implementations differ; those nearest to
/// 0 first.
pub(super) fn candidates(requantize: &Requantize, o: usize, [low, high]: [f64; 2]) -> Vec<f64> {
    let channel = &requantize.channels[o];
    let step = requantize.steps(o);
    let z = channel.output_zero_point;
    let mut all = vec![0.0, low, high];
    let codes = channel.clamp.low - z - 2..=channel.clamp.high - z + 2;
    for code in codes {
        for edge in [f64::from(code), f64::from(code) + 0.5] {
            let acc = (edge * step).floor();
            all.extend([acc - 1.0, acc, acc + 1.0, acc + 2.0]);
        }
    }
    for power in 7..32 {
        let power = f64::from(power).exp2();
        for acc in [power - 1.0, power, power + 1.0] {
            all.extend([acc, -acc]);
        }
    }
    let mut random = Random(o as u64);
    all.extend((0..SAMPLES).map(|_| random.within(low, high)));
    all.retain(|acc| (low..=high).contains(acc));
    all.sort_by(|a, b| a.abs().total_cmp(&b.abs()).then(b.total_cmp(a)));
    all.dedup();
    all
}

/// One accumulator on a ground of zeros: the first of its channel.
pub(super) fn alone(shape: &[usize], o: usize, axis: usize, acc: f64) -> Option<Values> {
    let mut input = Tensor::full(shape, 0.0).ok()?;
    let plane: usize = shape.get(axis + 1..)?.iter().product();
    *input.data_mut().get_mut(o * plane)? = acc;
    Some(input)
}

/// Codes, [1, C, H, W] or [1, in], that give an output of this channel exactly this accumulator,
/// where greedy choice finds some: one in the middle, whose window touches no padding, if any is
/// free of it. The channel is one of the sums', the accumulator an integer.
pub(super) fn hitting(
    shape: &[usize],
    sums: &Accumulate,
    o: usize,
    acc: f64,
    codes: [i32; 2],
) -> Option<Values> {
    let mut input = Tensor::full(shape, sums.input_zero_point.into()).ok()?;
    let position: Vec<usize> = (sums.output_shape(shape).ok()?.iter().enumerate())
        .map(|(axis, &size)| if axis == 1 { o } else { size / 2 })
        .collect();
    let terms = sums.terms(&input, &position);
    // Of the padding, which no code of the input changes.
    let fixed: i64 = terms.iter().map(Term::product).sum();
    let is_inside = |at: usize| terms[at].at.is_some();
    let window = sums.window(o, acc as i64 - fixed, codes, is_inside)?;
    for (term, code) in terms.iter().zip(window) {
        match (term.at, sums.geometry) {
            (Some([c, y, x]), Some(_)) => input[[0, c, y, x]] = code.into(),
            (Some([c, ..]), None) => input[[0, c]] = code.into(),
            (None, _) => {}
        }
    }
    Some(input)
}

#[cfg(test)]
mod tests {
    use quant::Rounding;
    use quant::contracts::sq8::Sq8Scale;
    use quant::contracts::{Channel, Clamp};
    use quant::scheme::Granularity;
    use reference::Conv2dGeometry;

    use super::*;
    use crate::model::{Accumulator, Arithmetic, Overflow, Step};

    fn requantize(output_scale: f64, output_zero_point: i32) -> Requantize {
        let channel = Channel {
            input_scale: 0.5,
            weight_scale: 0.25,
            output_scale,
            output_zero_point,
            clamp: Clamp { low: -8, high: 7 },
            bias: None,
            granularity: Granularity::PerTensor,
        };
        Requantize {
            channels: vec![channel],
            axis: 1,
            arithmetic: Arithmetic::Product(Rounding::TiesToEven),
            overflow: Overflow::Saturate,
        }
    }

    #[test]
    fn candidates_are_ties_edges_powers_and_ends() {
        // A step of 1000 accumulators; codes −8 to 7 around 2: −10 to 5 steps, two more each way.
        let all = candidates(&requantize(125.0, 2), 0, [-200_000.0, 150_000.0]);
        assert_eq!(all[0], 0.0);
        for step in -12..=7 {
            for edge in [1000 * step, 1000 * step + 500] {
                for acc in edge - 1..=edge + 2 {
                    assert!(all.contains(&acc.into()), "{acc}");
                }
            }
        }
        for power in 7..17 {
            for acc in (1 << power) - 1..=(1 << power) + 1 {
                assert!(
                    all.contains(&f64::from(acc)) && all.contains(&f64::from(-acc)),
                    "{acc}"
                );
            }
        }
        // Around −2: −6 to 9 steps.
        let sq8 = Sq8Scale { scale: 3, shift: 7 };
        let sq8 = Requantize {
            arithmetic: Arithmetic::Sq8([sq8].into(), Rounding::HalfUp),
            ..requantize(125.0, 2)
        };
        // A step of 128/3.
        let own = candidates(&sq8, 0, [-2000.0, 2000.0]);
        assert!(
            [-64.0, 21.0, 22.0, 64.0]
                .iter()
                .all(|acc| own.contains(acc))
        );
        let other = candidates(&requantize(125.0, -2), 0, [-200_000.0, 150_000.0]);
        for edge in [-8_000.0, 11_500.0] {
            assert!(
                other.contains(&edge) && other.contains(&(edge + 2.0)),
                "{edge}"
            );
        }
        assert!(all.contains(&-200_000.0) && all.contains(&150_000.0));
        let within = |acc: &f64| (-200_000.0..=150_000.0).contains(acc);
        assert!(all.iter().all(within));
        // Those that no rule names, on both sides.
        let far = |from: f64, to: f64| all.iter().filter(|acc| (from..to).contains(*acc)).count();
        assert!(far(-200_000.0, -140_000.0) > 400 && far(70_000.0, 150_000.0) > 400);
        // Nearest to 0 first, each once.
        let keys: Vec<(f64, bool)> = all.iter().map(|acc| (acc.abs(), *acc < 0.0)).collect();
        assert!(keys.windows(2).all(|two| two[0] < two[1]));
        let other = requantize(125.0, 2);
        let two = Requantize {
            channels: vec![other.channels[0]; 2],
            ..other
        };
        assert_ne!(candidates(&two, 1, [-200_000.0, 150_000.0]), all);
        assert_eq!(candidates(&two, 1, [-1.0, 2.0]), [0.0, 1.0, -1.0, 2.0]);
    }

    #[test]
    fn an_accumulator_alone_is_the_first_of_its_channel() {
        let input = alone(&[1, 3, 2, 4], 2, 1, -77.0).unwrap();
        let mut expected = [0.0; 24];
        expected[16] = -77.0;
        assert_eq!(input.data(), expected);
        let input = alone(&[1, 3], 1, 1, 5.0).unwrap();
        assert_eq!(input.data(), [0.0, 5.0, 0.0]);
        assert!(alone(&[1, 3], 3, 1, 5.0).is_none());
        assert!(alone(&[1, 3], 0, 2, 5.0).is_none());
    }

    fn sum_of(sums: &Accumulate, input: &Values) -> Values {
        Step::Accumulate(sums.clone()).run(input).unwrap()
    }

    #[test]
    fn a_window_in_the_middle_is_filled_if_it_can_be() {
        let geometry = Conv2dGeometry {
            padding: [1, 1],
            ..Conv2dGeometry::default()
        };
        let mut sums = Accumulate {
            geometry: Some(geometry),
            weight: Tensor::new(&[1, 2, 2, 2], vec![0, 0, 0, 0, 0, 0, 4, 1]).unwrap(),
            weight_zero_points: vec![0],
            bias: vec![0],
            input_zero_point: 1,
            padding: 1,
            accumulator: Accumulator::Exact,
        };
        // Of 4 rows and 7 columns the middle is output (2, 3): rows 1 and 2, columns 2 and 3.
        let input = hitting(&[1, 2, 3, 6], &sums, 0, 9.0, [-8, 7]).unwrap();
        let mut expected = vec![1.0; 36];
        expected[18 + 2 * 6 + 2] = 3.0;
        expected[18 + 2 * 6 + 3] = 2.0;
        assert_eq!(input.data(), expected);
        let sum = sum_of(&sums, &input);
        assert_eq!(sum.shape(), [1, 1, 4, 7]);
        assert_eq!(sum.data()[2 * 7 + 3], 9.0);
        assert!(hitting(&[1, 2, 3, 6], &sums, 0, 1e6, [-8, 7]).is_none());
        // Of one row and one column every window is padded: what lies outside makes no product,
        // or one that its own code makes.
        assert!(hitting(&[1, 2, 1, 1], &sums, 0, 9.0, [-8, 7]).is_none());
        sums.weight.data_mut()[4..].copy_from_slice(&[5, 0, 0, 90]);
        let input = hitting(&[1, 2, 1, 1], &sums, 0, 10.0, [-8, 7]).unwrap();
        assert_eq!(input.data(), [1.0, 3.0]);
        sums.padding = 2;
        let input = hitting(&[1, 2, 1, 1], &sums, 0, 90.0 + 10.0, [-8, 7]).unwrap();
        assert_eq!(input.data(), [1.0, 3.0]);
        assert_eq!(sum_of(&sums, &input).data()[3], 100.0);
        sums = Accumulate {
            geometry: None,
            weight: Tensor::new(&[2, 3], vec![0, 0, 0, 0, 3, 1]).unwrap(),
            weight_zero_points: vec![0; 2],
            bias: vec![0, 1],
            ..sums
        };
        let input = hitting(&[1, 3], &sums, 1, 9.0, [-8, 7]).unwrap();
        assert_eq!(input.data(), [1.0, 3.0, 3.0]);
        // The second of two groups reads the second channel.
        let groups = Conv2dGeometry {
            groups: 2,
            ..Conv2dGeometry::default()
        };
        sums.geometry = Some(groups);
        sums.weight = Tensor::new(&[2, 1, 1, 1], vec![4, 3]).unwrap();
        let input = hitting(&[1, 2, 1, 1], &sums, 1, 7.0, [-8, 7]).unwrap();
        assert_eq!(input.data(), [1.0, 3.0]);
        let input = hitting(&[1, 2, 1, 1], &sums, 0, 8.0, [-8, 7]).unwrap();
        assert_eq!(input.data(), [3.0, 1.0]);
    }
}
