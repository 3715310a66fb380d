//! The files that `identify` is given, as an observation.

use std::path::Path;

use anyhow::{Context, Result, bail};
use fixtures::npy::header::Header;
use fixtures::npy::parse;
use quant::contracts::identify::Observation;
use quant::contracts::{Channel, Clamp};
use quant::scheme::Granularity;
use reference::ops::{conv2d_sums, linear_sums};
use reference::{Conv2dGeometry, Tensor};

use super::{Arguments, Operands};

/// What was computed, and of what.
pub(super) fn observe(arguments: &Arguments) -> Result<Observation> {
    let (accumulators, float_bias) = match (&arguments.acc, &arguments.operands) {
        (Some(path), _) => (read_as::<i32>(path)?, None),
        (None, Some(operands)) => accumulate(operands)?,
        (None, None) => bail!("give --acc, or --input and --weight"),
    };
    let (codes, full) = codes(&arguments.out)?;
    let shape = codes.shape();
    if accumulators.shape() != shape {
        bail!(
            "the accumulators are {:?}, the codes {shape:?}",
            accumulators.shape()
        );
    }
    let weight_scales = numbers(&arguments.weight_scale)?;
    // One channel where nothing differs by channel.
    let count = match (&float_bias, weight_scales.len()) {
        (Some(bias), _) => bias.len(),
        (None, count) => count,
    };
    if ![1, count].contains(&weight_scales.len()) {
        bail!(
            "{} weight scales, but {count} values of the bias",
            weight_scales.len()
        );
    }
    let positions = match count {
        1 => shape.iter().product(),
        count if shape.get(arguments.axis) == Some(&count) => {
            shape[arguments.axis + 1..].iter().product()
        }
        count => bail!(
            "{count} weight scales, but axis {} of {shape:?} has another size",
            arguments.axis
        ),
    };
    let channels = (0..count)
        .map(|at| Channel {
            clamp: Clamp {
                low: arguments.low.unwrap_or(full.low),
                high: arguments.high.unwrap_or(full.high),
            },
            bias: float_bias.as_ref().map(|bias| bias[at]),
            granularity: match weight_scales.len() {
                1 => Granularity::PerTensor,
                _ => Granularity::PerChannel,
            },
            ..Channel::int8(
                arguments.input_scale,
                *weight_scales.get(at).unwrap_or(&weight_scales[0]),
                arguments.output_scale,
                arguments.output_zero_point,
            )
        })
        .collect::<Vec<_>>();
    for channel in &channels {
        channel.check()?;
    }
    let accumulators = accumulators.data().to_vec();
    let codes = codes.data().to_vec();
    Ok(Observation::new(channels, positions, accumulators, codes)?)
}

/// `Σ (x − z_x)(w − z_w)`, plus the bias where it is int32; one that is float32 is left for the
/// contracts to add.
fn accumulate(operands: &Operands) -> Result<(Tensor<i32>, Option<Vec<f32>>)> {
    let less = |path: &Path, zero_point: i32| -> Result<Tensor<i32>> {
        let (codes, full) = byte_codes(path)?;
        if !(full.low..=full.high).contains(&zero_point) {
            bail!(
                "{}: zero point {zero_point} is none of its codes",
                path.display()
            );
        }
        Ok(codes.map(|code| code - zero_point))
    };
    let input = less(&operands.input, operands.input_zero_point)?;
    let weight = less(&operands.weight, operands.weight_zero_point)?;
    let (mut integer, mut float) = (None, None);
    if let Some(path) = &operands.bias {
        match descr(path)?.as_str() {
            "<f4" => float = Some(read_as::<f32>(path)?.into_data()),
            _ => {
                let bias = read_as::<i32>(path)?;
                integer = Some(
                    bias.data()
                        .iter()
                        .map(|&b| i64::from(b))
                        .collect::<Vec<i64>>(),
                );
            }
        }
    }
    let sums = match weight.shape().len() {
        2 => linear_sums(&input, &weight, integer.as_deref()),
        _ => {
            let geometry = Conv2dGeometry {
                stride: operands.stride,
                padding: operands.padding,
                dilation: operands.dilation,
                groups: operands.groups,
            };
            conv2d_sums(&input, &weight, integer.as_deref(), &geometry)
        }
    };
    let sums = sums.context("input and weight do not fit")?;
    if let Some(bias) = float
        .as_ref()
        .filter(|bias| bias.len() != weight.shape()[0])
    {
        bail!(
            "{} values of the bias, but {} output channels",
            bias.len(),
            weight.shape()[0]
        );
    }
    if let Some(sum) = sums.data().iter().find(|&&sum| i32::try_from(sum).is_err()) {
        bail!("accumulator {sum} does not fit int32");
    }
    // By the check above.
    Ok((sums.map(|sum| sum as i32), float))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| path.display().to_string())
}

fn read_as<E: fixtures::npy::Dtype>(path: &Path) -> Result<Tensor<E>> {
    parse::<E>(&read(path)?).with_context(|| path.display().to_string())
}

/// The type of a file's values.
fn descr(path: &Path) -> Result<String> {
    let bytes = read(path)?;
    let (header, _) = Header::read(&bytes).with_context(|| path.display().to_string())?;
    Ok(header.descr.to_owned())
}

/// Codes, and those that their type has; int32 is taken for int8.
fn codes(path: &Path) -> Result<(Tensor<i32>, Clamp)> {
    match descr(path)?.as_str() {
        "<i4" => Ok((read_as::<i32>(path)?, Clamp::INT8)),
        _ => byte_codes(path),
    }
}

/// int8 or uint8 codes, and those that their type has.
fn byte_codes(path: &Path) -> Result<(Tensor<i32>, Clamp)> {
    match descr(path)?.as_str() {
        "|u1" => Ok((read_as::<u8>(path)?.map(i32::from), Clamp::UINT8)),
        _ => Ok((read_as::<i8>(path)?.map(i32::from), Clamp::INT8)),
    }
}

/// A comma list, or the path of a npy file of float32 or float64.
fn numbers(text: &str) -> Result<Vec<f64>> {
    let numbers: Vec<f64> = match text.ends_with(".npy") {
        true => {
            let path = Path::new(text);
            match descr(path)?.as_str() {
                "<f8" => read_as::<f64>(path)?.into_data(),
                _ => read_as::<f32>(path)?.map(f64::from).into_data(),
            }
        }
        false => (text.split(','))
            .map(str::trim)
            .map(|number| {
                number
                    .parse()
                    .with_context(|| format!("{number:?} is no number"))
            })
            .collect::<Result<_>>()?,
    };
    if numbers.is_empty() {
        bail!("{text} holds no scale");
    }
    Ok(numbers)
}
