//! Inputs that put accumulators where arithmetics part: on ties, on the edges of the clamp, at
//! the ends of what a layer reaches; and every code before a ReLU or a pool. Images hardly ever do.

mod every_code;

use quant::prove::Random;
use reference::{ShapeError, Tensor};

use crate::diagnosis::changes_at;
use crate::mistakes::Site;
use crate::model::{Accumulate, Model, Requantize, Step, Values};

/// Channels that accumulators are placed in, evenly spread.
const CHANNELS: usize = 6;

/// The most accumulators of a linear layer, which take an image each.
const MOST: usize = 24;

/// How many codes the directed inputs of a linear layer make at least: of a few, a scale that
/// is a little off makes the same.
const CODES: usize = 4096;

/// Codes for the layer that begins at `node`, [N, …]: of a weighted one such that its accumulators
/// tell all known mistakes and contracts of its requantization apart, as far as they can be; of a
/// ReLU or a pool every code there is. None of other layers, and where no accumulator could be
/// reached.
///
/// # Errors
/// None for a node of a model.
pub(super) fn input(model: &Model, node: usize) -> Result<Option<Values>, ShapeError> {
    let Some(params) = model.nodes[node - 1].params else {
        return Ok(None);
    };
    let (sums, requantize) = match (&model.nodes[node].step, model.nodes.get(node + 1)) {
        (Step::Accumulate(sums), Some(next)) => match &next.step {
            Step::Requantize(requantize) => (sums, requantize),
            _ => return Ok(None),
        },
        (Step::Relu { .. } | Step::MaxPool(_) | Step::AveragePool(_), _) => {
            return every_code::input(&params, &model.nodes[node - 1].shape).map(Some);
        }
        _ => return Ok(None),
    };
    let codes = [params.grid.low(), params.grid.high()];
    let candidates = candidates(sums, requantize, codes);
    let chosen = chosen(model, node + 1, requantize, &candidates)?;
    let windows: Vec<(usize, Vec<i32>)> = (chosen.into_iter())
        .filter_map(|(channel, acc)| Some((channel, sums.window(channel, acc, codes, |_| true)?)))
        .collect();
    let shape = &model.nodes[node - 1].shape;
    match windows.is_empty() {
        true => Ok(None),
        false => place(sums, shape, &windows, codes).map(Some),
    }
}

/// Accumulators of some channels beside every rounding tie and at both ends of their reach.
fn candidates(sums: &Accumulate, requantize: &Requantize, codes: [i32; 2]) -> Vec<(usize, i64)> {
    let outputs = sums.outputs();
    let mut candidates = Vec::new();
    for channel in (0..outputs).step_by(outputs.div_ceil(CHANNELS).max(1)) {
        let of = &requantize.channels[channel];
        let step = requantize.steps(channel);
        let [least, most] = sums.ends(channel, codes);
        let z = of.output_zero_point;
        let mut accumulators = vec![least, most, 0];
        for code in of.clamp.low - 2..=of.clamp.high + 1 {
            let tie = (f64::from(code - z) + 0.5) * step;
            accumulators.extend([tie.floor() as i64, tie.floor() as i64 + 1]);
        }
        accumulators.retain(|acc| (least..=most).contains(acc));
        accumulators.sort_unstable();
        accumulators.dedup();
        candidates.extend(accumulators.into_iter().map(|acc| (channel, acc)));
    }
    candidates
}

/// The candidates that, one after the other, part the most pairs of hypotheses that are not
/// yet parted.
fn chosen(
    model: &Model,
    node: usize,
    requantize: &Requantize,
    candidates: &[(usize, i64)],
) -> Result<Vec<(usize, i64)>, ShapeError> {
    let mut made: Vec<Vec<f64>> = vec![codes(&Step::Requantize(requantize.clone()), candidates)?];
    for change in changes_at(&Site::new(model, node)) {
        let codes = codes(&change.step, candidates)?;
        if !made.contains(&codes) {
            made.push(codes);
        }
    }
    let mut together: Vec<(usize, usize)> = (0..made.len())
        .flat_map(|a| (0..a).map(move |b| (b, a)))
        .collect();
    let mut chosen = Vec::new();
    while chosen.len() < MOST {
        let parted = |at: usize| {
            (together.iter())
                .filter(|(a, b)| made[*a][at] != made[*b][at])
                .count()
        };
        let best = (0..candidates.len())
            .map(|at| (parted(at), at))
            .max_by_key(|&(count, at)| (count, std::cmp::Reverse(at)));
        match best {
            Some((1.., at)) => {
                together.retain(|(a, b)| made[*a][at] == made[*b][at]);
                chosen.push(candidates[at]);
            }
            _ => break,
        }
    }
    Ok(chosen)
}

/// What a requantization makes of each candidate. Those of a channel lie side by side.
fn codes(step: &Step, candidates: &[(usize, i64)]) -> Result<Vec<f64>, ShapeError> {
    let channels = candidates.iter().map(|(channel, _)| channel + 1).max();
    let mut filled = vec![0; channels.unwrap_or(1)];
    let places: Vec<[usize; 3]> = (candidates.iter())
        .map(|&(channel, _)| {
            filled[channel] += 1;
            [0, channel, filled[channel] - 1]
        })
        .collect();
    let most = filled.iter().max().copied().unwrap_or(0);
    let mut sums = Tensor::full(&[1, filled.len(), most], 0.0)?;
    for (&place, &(_, acc)) in places.iter().zip(candidates) {
        sums[place] = acc as f64;
    }
    let codes = step.run(&sums)?;
    Ok(places.into_iter().map(|place| codes[place]).collect())
}

/// The windows in images of this shape (first axis 1): of a linear layer one an image, of a
/// convolution as many as lie side by side, the rest of the image at the zero point. Random
/// codes follow those of a linear layer.
fn place(
    sums: &Accumulate,
    shape: &[usize],
    windows: &[(usize, Vec<i32>)],
    [low, high]: [i32; 2],
) -> Result<Values, ShapeError> {
    let zero = f64::from(sums.input_zero_point);
    let (Some(geometry), &[_, channels, kernel_h, kernel_w]) =
        (&sums.geometry, sums.weight.shape())
    else {
        let mut data: Vec<f64> = (windows.iter())
            .flat_map(|(_, window)| window.iter().map(|&code| f64::from(code)))
            .collect();
        let images = windows.len().max(CODES.div_ceil(sums.outputs().max(1)));
        let mut random = Random::new(0);
        data.resize_with(images * sums.weight.item_len(), || {
            let span = (high - low + 1) as usize;
            f64::from(low + random.below(span) as i32)
        });
        return Tensor::new(&[images, sums.weight.item_len()], data);
    };
    let [height, width] = [shape[2], shape[3]];
    let extent = |axis: usize, kernel: usize| geometry.dilation[axis] * (kernel - 1) + 1;
    // A window starts at a multiple of the stride, less the padding, inside the image.
    let starts = |axis: usize, kernel: usize, size: usize| -> Vec<usize> {
        let (stride, padding) = (geometry.stride[axis], geometry.padding[axis]);
        let mut starts: Vec<usize> = Vec::new();
        let mut free = 0;
        for output in 0.. {
            let at = output * stride;
            if at >= padding + size {
                break;
            }
            let fits = at >= padding && at - padding + extent(axis, kernel) <= size;
            if fits && at - padding >= free {
                starts.push(at - padding);
                free = at - padding + extent(axis, kernel);
            }
        }
        starts
    };
    let (rows, columns) = (starts(0, kernel_h, height), starts(1, kernel_w, width));
    let per_image = (rows.len() * columns.len()).max(1);
    let images = windows.len().div_ceil(per_image);
    let mut input = Tensor::full(&[images, shape[1], height, width], zero)?;
    if rows.is_empty() || columns.is_empty() {
        return Ok(input);
    }
    for (at, (output, window)) in windows.iter().enumerate() {
        let (image, place) = (at / per_image, at % per_image);
        let (top, left) = (rows[place / columns.len()], columns[place % columns.len()]);
        let first = output / (sums.outputs() / geometry.groups) * channels;
        for (k, &code) in window.iter().enumerate() {
            let (c, ky, kx) = (
                k / (kernel_h * kernel_w),
                k / kernel_w % kernel_h,
                k % kernel_w,
            );
            let y = top + ky * geometry.dilation[0];
            let x = left + kx * geometry.dilation[1];
            input[[image, first + c, y, x]] = f64::from(code);
        }
    }
    Ok(input)
}

#[cfg(test)]
mod tests {
    use quant::Rounding;
    use quant::contracts::{Channel, Clamp};
    use quant::scheme::Granularity;
    use reference::Conv2dGeometry;

    use super::*;
    use crate::model::{Accumulator, Arithmetic, Overflow};

    fn linear(outputs: usize) -> Accumulate {
        Accumulate {
            geometry: None,
            weight: Tensor::new(&[outputs, 1], vec![10; outputs]).unwrap(),
            weight_zero_points: vec![0; outputs],
            bias: vec![0; outputs],
            input_zero_point: 0,
            padding: 0,
            accumulator: Accumulator::Exact,
        }
    }

    /// Steps of 8 accumulators, codes −3 to 2 around 1.
    fn requantize(channels: usize) -> Requantize {
        let channel = Channel {
            input_scale: 0.5,
            weight_scale: 0.25,
            output_scale: 1.0,
            output_zero_point: 1,
            clamp: Clamp { low: -3, high: 2 },
            bias: None,
            granularity: Granularity::PerTensor,
        };
        Requantize {
            channels: vec![channel; channels],
            axis: 1,
            arithmetic: Arithmetic::Product(Rounding::TiesToEven),
            overflow: Overflow::Saturate,
        }
    }

    #[test]
    fn candidates_lie_on_both_sides_of_every_tie_and_at_the_ends() {
        // −5 to 3 are −6 to 2 steps: ties from −5.5 to 2.5 steps of 8.
        let ties = [-44, -36, -28, -20, -12, -4, 4, 12, 20];
        let mut expected: Vec<i64> = ties.iter().flat_map(|&tie| [tie, tie + 1]).collect();
        expected.extend([-80, 0, 70]);
        expected.sort_unstable();
        let found = candidates(&linear(1), &requantize(1), [-8, 7]);
        assert_eq!(
            found,
            expected.iter().map(|&acc| (0, acc)).collect::<Vec<_>>()
        );
        // What codes of −1 to 1 cannot reach is none.
        let found = candidates(&linear(1), &requantize(1), [-1, 1]);
        let within = [-10, -4, -3, 0, 4, 5, 10].map(|acc| (0, acc));
        assert_eq!(found, within);
        let channels = |outputs: usize| {
            let of = candidates(&linear(outputs), &requantize(outputs), [-8, 7]);
            let mut channels: Vec<usize> = of.into_iter().map(|(channel, _)| channel).collect();
            channels.dedup();
            channels
        };
        assert_eq!(channels(5), [0, 1, 2, 3, 4]);
        assert_eq!(channels(13), [0, 3, 6, 9, 12]);
    }

    /// Which hypotheses a set of accumulators parts.
    #[test]
    fn few_accumulators_part_what_all_do() {
        let fixtures = fixtures::Fixtures::open(fixtures::Fixtures::committed_root()).unwrap();
        let loaded = fixtures::NetworkFixture::load(&fixtures, "mlp-mnist").unwrap();
        let images = fixtures::ImageSet::load(&fixtures, &loaded.data).unwrap();
        let scheme = crate::model::MODELS[0];
        let model = Model::new(&loaded, &images, scheme, crate::model::GOLDEN).unwrap();
        let node = model.position("fc2").unwrap();
        let (Step::Accumulate(sums), Step::Requantize(requantize)) =
            (&model.nodes[node - 1].step, &model.nodes[node].step)
        else {
            panic!("fc2 is a linear layer")
        };
        let candidates = candidates(sums, requantize, [-128, 127]);
        let chosen = chosen(&model, node, requantize, &candidates).unwrap();
        assert!((5..=MOST).contains(&chosen.len()), "{}", chosen.len());
        let kinds = |accumulators: &[(usize, i64)]| {
            let right = Step::Requantize(requantize.clone());
            let changes = changes_at(&Site::new(&model, node));
            let mut kinds: Vec<Vec<f64>> = (changes.iter().map(|change| &change.step))
                .chain([&right])
                .map(|step| codes(step, accumulators).unwrap())
                .collect();
            kinds.sort_by(|a, b| a.partial_cmp(b).unwrap());
            kinds.dedup();
            kinds.len()
        };
        let all = kinds(&candidates);
        assert!(all > 50, "{all}");
        assert_eq!(kinds(&chosen), all);
        let grows = (1..=chosen.len()).map(|count| kinds(&chosen[..count]));
        let grows: Vec<usize> = grows.collect();
        assert!(grows.windows(2).all(|two| two[0] < two[1]), "{grows:?}");
    }

    #[test]
    fn windows_lie_side_by_side_where_they_fit() {
        let geometry = Conv2dGeometry {
            stride: [2, 1],
            padding: [1, 0],
            dilation: [1, 2],
            groups: 2,
        };
        let sums = Accumulate {
            geometry: Some(geometry),
            weight: Tensor::new(&[2, 1, 2, 2], vec![1; 8]).unwrap(),
            input_zero_point: 9,
            ..linear(2)
        };
        // Rows begin at −1, 1 and 3 and are two high; columns are three wide.
        let windows = [
            (0, vec![1, 2, 3, 4]),
            (1, vec![5, 6, 7, 8]),
            (1, vec![-1, -2, -3, -4]),
        ];
        let input = place(&sums, &[1, 2, 4, 5], &windows, [-8, 9]).unwrap();
        assert_eq!(input.shape(), [3, 2, 4, 5]);
        let placed: Vec<([usize; 4], f64)> = (0..input.data().len())
            .filter(|&at| input.data()[at] != 9.0)
            .map(|at| (input.position(at).try_into().unwrap(), input.data()[at]))
            .collect();
        let at = |image: usize, channel: usize, codes: [f64; 4]| {
            let places = [[1, 0], [1, 2], [2, 0], [2, 2]];
            places
                .map(|[y, x]| [image, channel, y, x])
                .into_iter()
                .zip(codes)
        };
        let expected: Vec<_> = at(0, 0, [1., 2., 3., 4.])
            .chain(at(1, 1, [5., 6., 7., 8.]))
            .chain(at(2, 1, [-1., -2., -3., -4.]))
            .collect();
        assert_eq!(placed, expected);
        // One row and one column more: four in an image, none over another.
        let input = place(&sums, &[1, 2, 5, 6], &windows, [-8, 9]).unwrap();
        assert_eq!(input.shape(), [1, 2, 5, 6]);
        let row = |channel: usize, y: usize| input.data()[(channel * 5 + y) * 6..][..6].to_vec();
        assert_eq!(row(0, 1), [1., 9., 2., 9., 9., 9.]);
        assert_eq!(row(0, 2), [3., 9., 4., 9., 9., 9.]);
        assert_eq!(row(1, 1), [9., 9., 9., 5., 9., 6.]);
        assert_eq!(row(1, 3), [-1., 9., -2., 9., 9., 9.]);
        assert_eq!(row(1, 4), [-3., 9., -4., 9., 9., 9.]);
        // Windows at every row, with padding above: none lies over another.
        let close = Accumulate {
            geometry: Some(Conv2dGeometry {
                stride: [1, 1],
                ..geometry
            }),
            ..sums.clone()
        };
        let input = place(&close, &[1, 2, 4, 3], &windows, [-8, 9]).unwrap();
        assert_eq!(input.shape(), [2, 2, 4, 3]);
        let column = |image: usize, channel: usize| -> Vec<f64> {
            (0..4).map(|y| input[[image, channel, y, 0]]).collect()
        };
        assert_eq!(column(0, 0), [1.0, 3.0, 9.0, 9.0]);
        assert_eq!(column(0, 1), [9.0, 9.0, 5.0, 7.0]);
        assert_eq!(column(1, 1), [-1.0, -3.0, 9.0, 9.0]);
        // Where none fits, there is one image of the zero point.
        let input = place(&sums, &[1, 2, 4, 2], &windows[..1], [-8, 9]).unwrap();
        assert_eq!(input, Tensor::full(&[1, 2, 4, 2], 9.0).unwrap());
    }

    #[test]
    fn a_linear_layer_has_an_image_a_window_and_random_codes_after_them() {
        let sums = linear(400);
        let windows: Vec<(usize, Vec<i32>)> = (0..3).map(|at| (at, vec![at as i32 - 5])).collect();
        let input = place(&sums, &[1, 1], &windows, [-8, 7]).unwrap();
        // 4,096 codes of 400 outputs.
        assert_eq!(input.shape(), [11, 1]);
        assert_eq!(input.data()[..3], [-5.0, -4.0, -3.0]);
        assert!(input.data().iter().all(|code| (-8.0..=7.0).contains(code)));
        let many: Vec<(usize, Vec<i32>)> = vec![(0, vec![1]); 20];
        assert_eq!(
            place(&sums, &[1, 1], &many, [-8, 7]).unwrap().shape(),
            [20, 1]
        );
        let random = place(&linear(2), &[1, 1], &windows, [-8, 7]).unwrap();
        for code in -8..=7 {
            assert!(random.data()[3..].contains(&f64::from(code)), "{code}");
        }
    }
}
