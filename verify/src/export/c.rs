//! A network in C99: `model.c` computes it without heap, library or undefined behaviour, and
//! `self_test.c` says whether it computes what Karat does.

mod build_files;
mod constants;
mod conv2d;
mod dot;
mod elementwise;
mod header;
mod linear;
mod names;
mod plan;
mod pool;
mod requantize;
mod self_test;
mod source;
mod stages;
mod weighted;

use super::{Artifact, ExportError, Format, Request};
use crate::model::Model;
use plan::Plan;
use source::Source;
use stages::Stages;

pub(super) const FORMAT: Format = Format {
    name: "c",
    what: "C99 without dependencies, and a test of it",
    next: "model.c and model.h, a self-test and a Makefile; `make check` in there builds and runs it.",
    make,
};

/// What all files are made of.
struct Program<'a> {
    model: &'a Model,
    /// What the names in `model.h` begin with.
    prefix: String,
    /// The same in capitals.
    upper: String,
    /// The contract's formula.
    says: &'a str,
    stages: Stages<'a>,
    plan: Plan,
}

fn make(request: &Request) -> Result<Vec<Artifact>, ExportError> {
    let model = request.model;
    let name = request.options.name.as_ref().unwrap_or(&model.network);
    let prefix = names::prefix(name).map_err(|why| {
        Refusal::new(model, "input").because(
            format!("the name {name:?}: {why}"),
            "give another one with --name",
        )
    })?;
    let stages = Stages::new(model)?;
    let program = Program {
        model,
        upper: prefix.to_ascii_uppercase(),
        prefix,
        says: formula(model),
        plan: Plan::new(&stages.stages),
        stages,
    };
    let source = Source::new(&program)?;
    Ok(vec![
        Artifact::text("model.h", header::header(&program, &source)),
        Artifact::text("self_test.c", self_test::self_test(&program, request)?),
        Artifact::text("model.c", source.text),
        Artifact::text("Makefile", build_files::MAKEFILE),
        Artifact::text("README.md", build_files::readme(&program)),
    ])
}

/// What its requantization computes, in words.
fn formula(model: &Model) -> &'static str {
    match (
        quant::contracts::find(&model.contract),
        model.scheme.affine(),
    ) {
        (Some(contract), _) => contract.formula,
        (None, None) => "rne(acc / d), a float32 division",
        (None, Some(_)) => "rne(acc * m) + z, a float64 product",
    }
}

impl Program<'_> {
    /// The comment that a file begins with.
    fn title(&self, what: &str) -> String {
        let Model {
            network,
            scheme,
            contract,
            ..
        } = self.model;
        // A name is no end of a comment.
        let network = network.replace("*/", "* /");
        format!("/* {network}, scheme {scheme}, contract {contract}: {what}. Made by Karat. */\n\n")
    }
}

/// Says what C has no words for.
struct Refusal<'a> {
    network: &'a str,
    node: &'a str,
}

impl<'a> Refusal<'a> {
    fn new(model: &'a Model, node: &'a str) -> Self {
        Self {
            network: &model.network,
            node,
        }
    }

    fn of(self, what: impl Into<String>) -> ExportError {
        self.because(what, "choose a network, scheme and contract without it")
    }

    fn because(self, what: impl Into<String>, mend: &str) -> ExportError {
        ExportError::Inexpressible {
            network: self.network.to_owned(),
            node: self.node.to_owned(),
            format: "C",
            what: what.into(),
            mend: mend.to_owned(),
        }
    }
}
