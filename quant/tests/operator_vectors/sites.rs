//! What a case was given, as a contract takes it.

use fixtures::contracts::CodeType;
use fixtures::operator_contracts::{
    AddGiven, AveragePoolGiven, CodeGrid, OperatorVector, QuantizeGiven,
};
use quant::contracts::Clamp;
use quant::contracts::operators::Grid;
use quant::contracts::operators::add::Addition;
use quant::contracts::operators::average_pool::Pooling;
use quant::contracts::operators::quantize::Target;

fn grid(of: CodeGrid) -> Grid {
    Grid {
        scale: of.scale,
        zero_point: of.zero_point,
    }
}

fn clamp(codes: CodeType) -> Clamp {
    let (low, high) = codes.range();
    Clamp { low, high }
}

/// One for each zero point.
pub(crate) fn targets(case: &OperatorVector<QuantizeGiven>) -> Vec<Target> {
    (case.given.grids.iter())
        .map(|&of| Target {
            grid: grid(of),
            clamp: clamp(case.codes),
        })
        .collect()
}

pub(crate) fn addition(case: &OperatorVector<AddGiven>) -> Addition {
    let given = &case.given;
    let mut clamp = clamp(case.codes);
    if given.relu {
        clamp.low = given.output.zero_point;
    }
    Addition {
        first: grid(given.first),
        second: grid(given.second),
        output: grid(given.output),
        clamp,
    }
}

/// One for each pair of grids.
pub(crate) fn poolings(case: &OperatorVector<AveragePoolGiven>) -> Vec<Pooling> {
    let given = &case.given;
    (given.grids.iter())
        .map(|&(input, output)| Pooling {
            input: grid(input),
            output: grid(output),
            terms: given.terms,
            window: given.window,
            padding_counts: given.padding_counts,
            clamp: clamp(case.codes),
        })
        .collect()
}
