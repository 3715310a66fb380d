//! The int8 network: every accumulator and code.

mod case;

use quant::golden::Trace;
use quant::prove::Random;
use quant::{QuantNetwork, Rounding};
use reference::{Op, Tensor};

use super::{Kind, Mismatch, same};
use crate::executor::Order;
use crate::{Executor, Kernels};

pub(super) fn case(
    kind: Kind,
    random: &mut Random,
    sets: &[Kernels],
) -> Result<Option<Vec<&'static str>>, Box<Mismatch>> {
    let Some((network, input)) = case::make(kind, random) else {
        return Ok(None);
    };
    let golden = network.trace_codes(input.clone()).expect("its own input");
    let mut covered = covered(&network, &golden);
    for &set in sets {
        compare(&network, &input, &golden, set, &mut covered).map_err(|at| {
            Box::new(Mismatch {
                isa: set.isa(),
                case: format!("{network:?}"),
                at,
            })
        })?;
    }
    Ok(Some(covered))
}

/// Where a set differs, if it does.
fn compare(
    network: &QuantNetwork,
    input: &Tensor<i8>,
    golden: &Trace,
    set: Kernels,
    covered: &mut Vec<&'static str>,
) -> Result<(), String> {
    let executor = Executor::new(network, set).map_err(|error| error.to_string())?;
    covered.extend(executor.algorithms());
    let trace = (executor.trace_codes(input.clone())).map_err(|error| error.to_string())?;
    same_traces(golden, &trace)?;
    let fused = (executor.forward_codes(input)).map_err(|error| error.to_string())?;
    let last = (golden.layers.last()).map_or(&golden.input, |last| &last.codes);
    same(last, &fused, "code").map_err(|at| format!("the layers fused: {at}"))?;
    let mut codes = vec![0; last.data().len()];
    let mut sessions = [executor.session()];
    executor.run(&mut sessions, &by_pixel(input), Order::Nhwc, &mut codes);
    match codes == by_pixel(last) {
        true => Ok(()),
        false => Err("the codes by pixel".to_owned()),
    }
}

/// The codes with the channels of a pixel side by side.
fn by_pixel(codes: &Tensor<i8>) -> Vec<i8> {
    let &[n, c, h, w] = codes.shape() else {
        return codes.data().to_vec();
    };
    let of_image = |image: usize| {
        let codes = codes.item(image);
        (0..h * w).flat_map(move |pixel| (0..c).map(move |channel| codes[channel * h * w + pixel]))
    };
    (0..n).flat_map(of_image).collect()
}

/// As many layers, and of each the same accumulators, or none, and the same codes.
fn same_traces(golden: &Trace, got: &Trace) -> Result<(), String> {
    let [layers, other] = [golden, got].map(|trace| trace.layers.len());
    if layers != other {
        return Err(format!("{layers} layers expected, got {other}"));
    }
    for (expected, got) in golden.layers.iter().zip(&got.layers) {
        let accumulators = match (&expected.accumulators, &got.accumulators) {
            (Some(expected), Some(got)) => same(expected, got, "accumulator"),
            (None, None) => Ok(()),
            (Some(_), None) => Err("it has no accumulators".to_owned()),
            (None, Some(_)) => Err("it has accumulators".to_owned()),
        };
        (accumulators.and_then(|()| same(&expected.codes, &got.codes, "code")))
            .map_err(|at| format!("{}: {at}", expected.name))?;
    }
    Ok(())
}

/// The values on which kernels differ, as far as the case has them.
fn covered(network: &QuantNetwork, golden: &Trace) -> Vec<&'static str> {
    let mut covered = Vec::new();
    let weights = network.network().weighted().map(|(_, weights)| weights);
    let accumulators = golden
        .layers
        .iter()
        .filter_map(|layer| layer.accumulators.as_ref());
    for (weights, acc) in weights.zip(accumulators) {
        let scale = f64::from(weights.output_scale.get());
        let quotients = || acc.data().iter().map(|&acc| f64::from(acc) / scale);
        if quotients().any(|q| (q - q.floor() - 0.5).abs() == 0.0 && q.abs() < 128.0) {
            covered.push("ties");
        }
        if quotients().any(|q| q > 127.5) && quotients().any(|q| q < -128.5) {
            covered.push("both clamps");
        }
        if weights.weight.data().iter().all(|&w| w == i8::MIN) {
            covered.push("weights all -128");
        }
    }
    if golden.input.data().iter().all(|&code| code == i8::MIN) {
        covered.push("inputs all -128");
    }
    if network.rounding() != Rounding::TiesToEven {
        covered.push("other roundings");
    }
    let pixels = |codes: &Tensor<i8>| {
        let shape = codes.shape();
        shape.len() == 4 && shape[1..].iter().all(|&extent| extent > 1)
    };
    if pixels(&golden.input) {
        match network.network().layers().first().map(|layer| &layer.op) {
            Some(Op::Conv2d { geometry, .. }) if geometry.padding != [0, 0] => {
                covered.push("pixels in, padded");
            }
            _ => covered.push("pixels in"),
        }
    }
    if golden.layers.last().is_some_and(|last| pixels(&last.codes)) {
        covered.push("pixels out");
    }
    covered
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is not there is not equal.
    #[test]
    fn a_trace_that_lacks_something_differs() {
        let mut random = Random::new(7);
        let (network, input) = case::make(Kind::Network, &mut random).unwrap();
        let golden = network.trace_codes(input).unwrap();
        assert_eq!(same_traces(&golden, &golden), Ok(()));
        let differs = |change: fn(&mut Trace)| {
            let mut got = golden.clone();
            change(&mut got);
            same_traces(&golden, &got).unwrap_err()
        };
        assert!(differs(|got| drop(got.layers.pop())).contains("layers expected"));
        assert!(golden.layers[0].accumulators.is_some());
        assert_eq!(
            differs(|got| got.layers[0].accumulators = None),
            "layer0: it has no accumulators"
        );
        assert!(
            differs(|got| {
                let flat = got.layers[0].codes.data().to_vec();
                got.layers[0].codes = Tensor::new(&[flat.len()], flat).unwrap();
            })
            .contains("codes of shape")
        );
        assert!(
            differs(|got| got.layers[0].codes = got.layers[0].codes.map(|code| code ^ 1))
                .contains("code at [0, 0, 0, 0]")
        );
        let mut without = golden.clone();
        without.layers[0].accumulators = None;
        assert_eq!(
            same_traces(&without, &golden),
            Err("layer0: it has accumulators".to_owned())
        );
    }
}
