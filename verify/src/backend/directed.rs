//! Inputs that put accumulators where arithmetics part: on ties, on the edges of the clamp, at
//! the ends of what a layer reaches; and every code before a ReLU or a pool. Images hardly ever do.

mod every_code;

use std::ops::RangeInclusive;

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
    let codes = params.grid.low()..=params.grid.high();
    let candidates = candidates(sums, requantize, &codes);
    let chosen = chosen(model, node + 1, requantize, &candidates)?;
    let windows: Vec<(usize, Vec<i32>)> = (chosen.into_iter())
        .filter_map(|(channel, acc)| Some((channel, reach(sums, channel, acc, &codes)?)))
        .collect();
    let shape = &model.nodes[node - 1].shape;
    match windows.is_empty() {
        true => Ok(None),
        false => place(sums, shape, &windows, &codes).map(Some),
    }
}

/// Accumulators of some channels beside every rounding tie and at both ends of their reach.
fn candidates(
    sums: &Accumulate,
    requantize: &Requantize,
    codes: &RangeInclusive<i32>,
) -> Vec<(usize, i64)> {
    let outputs = sums.outputs();
    let mut candidates = Vec::new();
    for channel in (0..outputs).step_by(outputs.div_ceil(CHANNELS).max(1)) {
        let of = &requantize.channels[channel];
        let step = requantize.steps(channel);
        let [least, most] = ends(sums, channel, codes);
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

/// The least and the largest accumulator of a channel.
fn ends(sums: &Accumulate, channel: usize, codes: &RangeInclusive<i32>) -> [i64; 2] {
    let [low, high] =
        [codes.start(), codes.end()].map(|code| i64::from(code - sums.input_zero_point));
    let z = sums.weight_zero_points[channel];
    let mut ends = [sums.bias[channel]; 2];
    for w in sums.weight.item(channel).iter().map(|&w| i64::from(w - z)) {
        ends[0] += (w * low).min(w * high);
        ends[1] += (w * low).max(w * high);
    }
    ends
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

/// Codes of a window whose accumulator is `acc`: the largest weights take what they can, the
/// small ones the rest.
fn reach(
    sums: &Accumulate,
    channel: usize,
    acc: i64,
    codes: &RangeInclusive<i32>,
) -> Option<Vec<i32>> {
    let z = sums.weight_zero_points[channel];
    let weights: Vec<i64> = (sums.weight.item(channel).iter())
        .map(|&w| i64::from(w - z))
        .collect();
    let mut order: Vec<usize> = (0..weights.len()).filter(|&at| weights[at] != 0).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(weights[at].abs()));
    let input_zero = i64::from(sums.input_zero_point);
    let [low, high] = [codes.start(), codes.end()].map(|&code| i64::from(code) - input_zero);
    let mut window = vec![sums.input_zero_point; weights.len()];
    let mut rest = acc - sums.bias[channel];
    for at in order {
        let x = (rest / weights[at]).clamp(low, high);
        rest -= x * weights[at];
        window[at] = (x + input_zero) as i32;
    }
    (rest == 0).then_some(window)
}

/// The windows in images of this shape (first axis 1): of a linear layer one an image, of a
/// convolution as many as lie side by side, the rest of the image at the zero point. Random
/// codes follow those of a linear layer.
fn place(
    sums: &Accumulate,
    shape: &[usize],
    windows: &[(usize, Vec<i32>)],
    codes: &RangeInclusive<i32>,
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
            let span = (codes.end() - codes.start() + 1) as usize;
            f64::from(codes.start() + random.below(span) as i32)
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
