//! How one output comes about, step by step, followed back from the last.

use reference::PoolGeometry;

use super::text;
use crate::model::{
    Accumulate, Accumulator, Arithmetic, AveragePool, FlattenOrder, MeanRounding, Overflow,
    Quantize, Requantize, Step, Term, Values,
};
use quant::Rounding;
use quant::contracts::sq8::Sq8Scale;

/// One step of one output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stage {
    /// Its lines, each of which may have to be folded.
    pub(super) lines: Vec<String>,
    /// The input of the step that was followed back.
    pub(super) from: Vec<usize>,
}

/// The stages of the output at `position` of the last step, first to last; one for each step.
/// Where several inputs of a window give its output, the one that `beside` followed is followed.
/// Of a sum's products so many are shown, the largest.
pub(super) fn stages(
    steps: &[&Step],
    input: &Values,
    traces: &[Values],
    position: &[usize],
    beside: &[Stage],
    products: usize,
) -> Vec<Stage> {
    let mut position = position.to_vec();
    let mut stages = Vec::with_capacity(steps.len());
    for (at, step) in steps.iter().enumerate().rev() {
        let input = if at == 0 { input } else { &traces[at - 1] };
        let followed = beside.get(at).map(|stage| &stage.from[..]);
        let (lines, from) = stage(step, input, &traces[at], &position, followed, products);
        position.clone_from(&from);
        stages.push(Stage { lines, from });
    }
    stages.reverse();
    stages
}

/// The lines of a step, and which of its inputs to follow.
fn stage(
    step: &Step,
    input: &Values,
    output: &Values,
    position: &[usize],
    followed: Option<&[usize]>,
    products: usize,
) -> (Vec<String>, Vec<usize>) {
    let same = position.to_vec();
    let x = value(input, position);
    let y = value(output, position);
    match step {
        Step::Quantize(quantize) => quantized(quantize, input, position),
        Step::Accumulate(sums) => (summed(sums, input, position, y, products), same),
        Step::Requantize(requantize) => (requantized(requantize, position, x), same),
        Step::Relu { low } => (vec![format!("max({x}, {low}) = {y}")], same),
        Step::MaxPool(geometry) => {
            let window = window(geometry, input, position);
            let codes: Vec<f64> = window.iter().map(|at| value(input, at)).collect();
            let gives = |at: &Vec<usize>| value(input, at) == y;
            let from = (window.iter())
                .find(|at| gives(at) && followed == Some(&at[..]))
                .or_else(|| window.iter().find(|at| gives(at)))
                .map_or(same, Clone::clone);
            (vec![format!("max({}) = {y}", text::list(&codes))], from)
        }
        Step::AveragePool(pool) => averaged(pool, input, position, y, followed),
        Step::Flatten(order) => {
            let from = unflattened(*order, input.shape(), position);
            let line = format!("value {} is {} = {y}", position[1], text::position(&from));
            (vec![line], from)
        }
        Step::Identity => (vec![format!("as it is: {y}")], same),
        Step::Other(_) => (vec![format!("gives {y}")], same),
    }
}

fn value(values: &Values, position: &[usize]) -> f64 {
    let flat = (position.iter().zip(values.shape())).fold(0, |flat, (&at, &size)| flat * size + at);
    values.data().get(flat).copied().unwrap_or(f64::NAN)
}

fn rule(rounding: Rounding) -> &'static str {
    match rounding {
        Rounding::TiesToEven => "half to even",
        Rounding::TiesAwayFromZero => "half away from zero",
        Rounding::HalfUp => "half up",
        Rounding::Floor => "down",
        Rounding::TowardZero => "toward zero",
    }
}

fn quantized(q: &Quantize, input: &Values, position: &[usize]) -> (Vec<String>, Vec<usize>) {
    let mut from = position.to_vec();
    if let (Some(channel), Some(&of)) = (
        from.get_mut(1),
        q.channels.get(position.get(1).copied().unwrap_or(0)),
    ) {
        *channel = of;
    }
    let pixel = value(input, &from);
    let (real, quotient) = q.numbers(pixel);
    let steps = q.rounding.round(quotient.into()) + 0.0;
    let z = q.params.zero_point;
    let grid = q.params.grid;
    let lines = vec![
        format!(
            "pixel {pixel} at {}: ({pixel}/255 − {}) / {} = {real}",
            text::position(&from),
            q.mean,
            q.std
        ),
        format!("{real} / s_I {} = {quotient}", q.params.scale.get()),
        format!(
            "{quotient} rounds {} to {steps}{} → {}",
            rule(q.rounding),
            clamped(steps, z, [grid.low(), grid.high()]),
            q.one(pixel)
        ),
    ];
    (lines, from)
}

/// What is done to a rounded number, in words.
fn clamped(steps: f64, z: i32, [low, high]: [i32; 2]) -> String {
    let mut words = String::new();
    if z != 0 {
        words += &format!(", + z {z} = {}", steps + f64::from(z));
    }
    words + &format!(", clamp [{low}, {high}]")
}

fn summed(
    sums: &Accumulate,
    input: &Values,
    position: &[usize],
    y: f64,
    most: usize,
) -> Vec<String> {
    let mut terms = sums.terms(input, position);
    terms.retain(|term| term.product() != 0);
    let all: i64 = terms.iter().map(Term::product).sum();
    let count = terms.len();
    if count > most {
        // The largest; of equals those that come first.
        terms.sort_by_key(|term| std::cmp::Reverse(term.product().abs()));
        terms.truncate(most);
    }
    let shown: i64 = terms.iter().map(Term::product).sum();
    let difference = |code: i32, zero: i32| match (zero, code < 0) {
        (0, true) => format!("({code})"),
        (0, false) => code.to_string(),
        (_, _) => format!("({code} − {})", text::signed(zero)),
    };
    let mut products: Vec<String> = (terms.iter())
        .map(|term| {
            let at = match term.at {
                Some([c, 0, 0]) if sums.geometry.is_none() => format!("[{c}]"),
                Some(at) => format!("{at:?}").replace(' ', ""),
                None => "padding".to_owned(),
            };
            format!(
                "{}·{} = {} at {at}",
                difference(term.input, term.input_zero_point),
                difference(term.weight, term.weight_zero_point),
                term.product()
            )
        })
        .collect();
    if count > most {
        products.push(format!("… {} more, sum {}", count - most, all - shown));
    }
    if products.is_empty() {
        products.push("is 0 everywhere".into());
    }
    let bias = sums.bias.get(position[1]).copied().unwrap_or(0);
    let mut total = match bias {
        0 => format!("sum {all}"),
        bias => format!("sum {all}, + bias {bias} = {}", all + bias),
    };
    total += &match sums.accumulator {
        Accumulator::Exact if y == (all + bias) as f64 => ", exact".to_owned(),
        _ => format!(", kept as {y}"),
    };
    vec![format!("code·weight {}", products.join("; ")), total]
}

fn requantized(requantize: &Requantize, position: &[usize], acc: f64) -> Vec<String> {
    let count = requantize.channels.len().max(1);
    let o = position.get(requantize.axis).copied().unwrap_or(0) % count;
    let channel = &requantize.channels[o];
    let (before, code) = requantize.one(o, acc);
    let number = requantize.number(o, acc);
    let z = channel.output_zero_point;
    let [low, high] = [channel.clamp.low, channel.clamp.high];
    let quotient = match &requantize.arithmetic {
        Arithmetic::Division(_) => {
            format!("{acc} / s_O {} = {}", channel.divisor(), number as f32)
        }
        Arithmetic::Sq8(scales, _) => {
            let Sq8Scale { scale, shift } = scales[o];
            format!("{acc} · S {scale} / 2^{shift} = {number}")
        }
        _ => format!("{acc} · M {} = {number}", channel.multiplier()),
    };
    let end = match requantize.overflow {
        Overflow::Saturate => format!(", clamp [{low}, {high}] → {code}"),
        Overflow::Other(_) => format!(", not clamped to [{low}, {high}] → {code}"),
    };
    let rounded = match &requantize.arithmetic {
        Arithmetic::Division(rounding)
        | Arithmetic::Product(rounding)
        | Arithmetic::Sq8(_, rounding) => {
            // −0 is written 0.
            let steps = rounding.round(number) + 0.0;
            let zero = match z {
                0 => String::new(),
                z => format!(", + z {z} = {before}"),
            };
            format!("rounds {} to {steps}{zero}{end}", rule(*rounding))
        }
        Arithmetic::Contract(contract) => {
            format!(
                "by contract {}, + z {z}, clamp [{low}, {high}] → {code}",
                contract.name
            )
        }
        Arithmetic::Other(_) => format!("becomes {before}, z {z} included{end}"),
    };
    vec![quotient, rounded]
}

fn averaged(
    pool: &AveragePool,
    input: &Values,
    position: &[usize],
    y: f64,
    followed: Option<&[usize]>,
) -> (Vec<String>, Vec<usize>) {
    let window = window(&pool.geometry.window, input, position);
    let codes: Vec<f64> = window.iter().map(|at| value(input, at)).collect();
    let z = pool.zero_point;
    let sum: f64 = codes.iter().map(|code| code - z).sum();
    let [kh, kw] = pool.geometry.window.kernel;
    let count = match pool.geometry.count_include_pad {
        true => kh * kw,
        false => window.len(),
    };
    let by = match &pool.rounding {
        MeanRounding::Rule(rounding) => rule(*rounding),
        MeanRounding::Other(_) => "in its own way",
    };
    let (zeros, shift) = match z {
        0.0 => (String::new(), String::new()),
        z => (format!(" − {}·{z}", codes.len()), format!(", + z {z}")),
    };
    let line = format!(
        "sum({}){zeros} = {sum}; {sum} / {count} = {} rounds {by} to {}{shift} → {y}",
        text::list(&codes),
        sum / count as f64,
        y - z
    );
    // No one value gives a mean: the one that is followed beside it, or the largest.
    let from = (window.iter().find(|at| followed == Some(&at[..])).cloned())
        .or_else(|| {
            window
                .into_iter()
                .max_by(|a, b| value(input, a).total_cmp(&value(input, b)))
        })
        .unwrap_or_else(|| position.to_vec());
    (vec![line], from)
}

/// The inputs of a pooled output, padding left out.
fn window(geometry: &PoolGeometry, input: &Values, position: &[usize]) -> Vec<Vec<usize>> {
    let (&[_, _, height, width], &[n, c, y, x]) = (input.shape(), position) else {
        return Vec::new();
    };
    let [rows, columns] = geometry.windows();
    (0..rows.kernel)
        .filter_map(|ky| rows.input_at(y, ky, height))
        .flat_map(|iy| {
            (0..columns.kernel)
                .filter_map(move |kx| columns.input_at(x, kx, width))
                .map(move |ix| vec![n, c, iy, ix])
        })
        .collect()
}

/// Which value of a map a flattened one is.
fn unflattened(order: FlattenOrder, shape: &[usize], position: &[usize]) -> Vec<usize> {
    let (&[_, c, h, w], &[n, at]) = (shape, position) else {
        return position.to_vec();
    };
    let (c, h, w) = (c.max(1), h.max(1), w.max(1));
    match order {
        FlattenOrder::Chw => vec![n, at / (h * w), at / w % h, at % w],
        FlattenOrder::Hwc => vec![n, at % c, at / (c * w) % h, at / c % w],
    }
}

#[cfg(test)]
mod tests {
    use reference::{Conv2dGeometry, Tensor};

    use super::*;

    /// Of as many inputs as there are weights, in one channel.
    fn sums(weights: Vec<i32>, geometry: Option<Conv2dGeometry>) -> Accumulate {
        let count = weights.len();
        let shape: &[usize] = if geometry.is_some() {
            &[1, count, 1, 1]
        } else {
            &[1, count]
        };
        Accumulate {
            geometry,
            weight: Tensor::new(shape, weights).unwrap(),
            weight_zero_points: vec![0],
            bias: vec![0],
            input_zero_point: 0,
            padding: 0,
            accumulator: Accumulator::Exact,
        }
    }

    #[test]
    fn as_many_products_as_asked_for_are_shown() {
        let sums = sums(vec![1, -2, 3], None);
        let input = Tensor::new(&[1, 3], vec![5.0, 7.0, 9.0]).unwrap();
        let said = |most: usize, y: f64| summed(&sums, &input, &[0, 0], y, most).join(" | ");
        let all = "code·weight 5·1 = 5 at [0]; 7·(-2) = -14 at [1]; 9·3 = 27 at [2]";
        assert_eq!(said(3, 18.0), format!("{all} | sum 18, exact"));
        assert_eq!(
            said(2, 18.0),
            "code·weight 9·3 = 27 at [2]; 7·(-2) = -14 at [1]; … 1 more, sum 5 | sum 18, exact"
        );
        // What is kept is not always the sum.
        assert_eq!(said(3, 2.0), format!("{all} | sum 18, kept as 2"));
        let nothing = input.map(|_| 0.0);
        assert_eq!(
            summed(&sums, &nothing, &[0, 0], 0.0, 3).join(" | "),
            "code·weight is 0 everywhere | sum 0, exact"
        );
    }

    /// −0.3 steps are 0, not −0.
    #[test]
    fn zero_has_no_sign() {
        let quantize = Quantize {
            mean: 0.5,
            std: 1.0,
            params: quant::scheme::QuantParams {
                scale: quant::Scale::new(1.0).unwrap(),
                zero_point: 0,
                grid: quant::scheme::Grid {
                    bits: 8,
                    signed: true,
                    narrow: false,
                },
            },
            rounding: Rounding::TiesToEven,
            channels: vec![0],
        };
        let pixels = Tensor::new(&[1, 1, 1, 1], vec![51.0]).unwrap();
        let lines = quantized(&quantize, &pixels, &[0, 0, 0, 0]).0;
        let rounded = "-0.3 rounds half to even to 0, clamp [-128, 127] → 0";
        assert_eq!(lines[2], rounded);
    }

    #[test]
    fn a_code_of_a_map_has_three_numbers() {
        let sums = sums(vec![2, 3], Some(Conv2dGeometry::default()));
        let input = Tensor::new(&[1, 2, 1, 1], vec![5.0, 7.0]).unwrap();
        assert_eq!(
            summed(&sums, &input, &[0, 0, 0, 0], 31.0, 8)[0],
            "code·weight 5·2 = 10 at [0,0,0]; 7·3 = 21 at [1,0,0]"
        );
    }

    /// The input that is followed beside a mean is followed here too, else the largest.
    #[test]
    fn a_mean_is_followed_to_one_of_its_inputs() {
        let pool = AveragePool {
            geometry: reference::ops::AveragePoolGeometry {
                window: PoolGeometry {
                    kernel: [1, 3],
                    stride: [1, 1],
                    padding: [0, 0],
                },
                count_include_pad: true,
            },
            zero_point: 0.0,
            rounding: MeanRounding::Rule(Rounding::TiesToEven),
        };
        let input = Tensor::new(&[1, 1, 1, 3], vec![4.0, 9.0, 2.0]).unwrap();
        let followed =
            |beside: Option<&[usize]>| averaged(&pool, &input, &[0, 0, 0, 0], 5.0, beside).1;
        assert_eq!(followed(None), [0, 0, 0, 1]);
        assert_eq!(followed(Some(&[0, 0, 0, 2])), [0, 0, 0, 2]);
        assert_eq!(followed(Some(&[0, 0, 5, 2])), [0, 0, 0, 1]);
    }
}
