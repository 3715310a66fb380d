//! Accumulators and codes are exactly PyTorch's: the golden interpreter's, and those
//! of every kernel set.

use fixtures::{Golden, ImageSet, NetworkFixture};
use kernels::{Executor, Kernels};
use quant::QuantError;
use quant::golden::Trace;
use reference::Tensor;

use super::Rows;
use super::float::of_items;
use crate::compare::{LittleEndian, Same, exact, hash};
use crate::{Claim, Outcome, Row, Subject};

/// Every layer for the traced images, and the output codes for all tested ones.
///
/// # Errors
/// Images that are not of the network's input shape.
pub fn check_integer(
    fixture: &NetworkFixture,
    images: &ImageSet,
    subject: &Subject,
    kernel_sets: &[Kernels],
) -> Result<Vec<Row>, QuantError> {
    let mut rows = Rows::new(fixture.network.name());
    let traced = fixture.int8.input_codes.shape()[0];
    let input = subject.float.input().normalize(&images.pixels.head(traced));
    let all = subject.float.input().normalize(&images.pixels);
    let (golden, expected) = (&subject.integer, &fixture.int8.output_codes);

    let trace = golden.trace(&input)?;
    let codes = exact(&fixture.int8.input_codes, &trace.input);
    rows.push("input", Claim::InputCodes, trace.input.shape(), codes);
    check_trace(
        &mut rows,
        fixture,
        &trace,
        Claim::Accumulators,
        Claim::Codes,
    );
    let outcome = exact(expected, &golden.forward(&all)?);
    rows.push("output", Claim::OutputCodes, expected.shape(), outcome);

    for &set in kernel_sets {
        let executor = Executor::new(golden, set)?;
        let trace = executor.trace(&input)?;
        let (acc, codes) = (
            Claim::KernelAccumulators(set.isa()),
            Claim::KernelCodes(set.isa()),
        );
        check_trace(&mut rows, fixture, &trace, acc, codes);
        let outcome = exact(expected, &executor.forward(&all)?);
        rows.push(
            "output",
            Claim::KernelOutputCodes(set.isa()),
            expected.shape(),
            outcome,
        );
    }
    Ok(rows.rows)
}

fn check_trace(
    rows: &mut Rows,
    fixture: &NetworkFixture,
    trace: &Trace,
    acc_claim: Claim,
    codes_claim: Claim,
) {
    let network = fixture.int8.network.network();
    let items = fixture.int8.input_codes.shape()[0];
    let layers = network.layers().iter().zip(network.shapes());
    for ((layer, shape), golden) in layers.zip(&fixture.int8.layers) {
        let name = &layer.name;
        let Some(got) = trace.layers.iter().find(|traced| traced.name == *name) else {
            rows.push(
                name,
                codes_claim,
                &[],
                Outcome::incomparable("the layer is missing"),
            );
            continue;
        };
        if let Some(expected) = &golden.accumulators {
            let outcome = match &got.accumulators {
                Some(acc) => exact(expected, acc),
                None => Outcome::incomparable("the layer has no accumulators"),
            };
            rows.push(name, acc_claim, expected.shape(), outcome);
        }
        rows.push(
            name,
            codes_claim,
            got.codes.shape(),
            same(&golden.codes, &of_items(shape, items), &got.codes),
        );
    }
}

fn same<E: Same + LittleEndian>(expected: &Golden<E>, shape: &[usize], got: &Tensor<E>) -> Outcome {
    match expected {
        Golden::Values(values) => exact(values, got),
        Golden::Hash(expected) => hash(expected, shape, got),
    }
}
