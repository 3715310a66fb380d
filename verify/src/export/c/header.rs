//! `model.h`: what a program calls, and where the layers' outputs lie.

use std::fmt::Write;

use super::stages::Codes;
use super::{Program, Source};

pub(super) fn header(program: &Program, source: &Source) -> String {
    let Program {
        prefix,
        upper,
        stages,
        plan,
        ..
    } = program;
    let [weights, others] = source.bytes;
    let last = stages
        .stages
        .last()
        .map_or(&stages.input, |stage| &stage.output);
    format!(
        "\
{title}#ifndef {upper}_MODEL_H
#define {upper}_MODEL_H

#include <stdint.h>

/*
{table} *
 * RAM: arena {arena}, codes under a kernel {gathered}: {ram} bytes, besides input, output, stack.
 * Constants: weights {weights}, others {others}: {constants} bytes.
 */

#define {upper}_INPUTS {inputs}
#define {upper}_OUTPUTS {outputs}
#define {upper}_LAYERS {layers}

typedef {input} {prefix}_input;
typedef {output} {prefix}_output;

/* Called after each layer with its number and its output; they are as the table above says. */
typedef void {prefix}_observer(void *context, int layer, const void *codes);

/* From pixels, 0 to 255, channel after channel, row after row, to codes in the same order. */
void {prefix}_quantize(const uint8_t *pixels, {prefix}_input *codes);

/* The class of {upper}_INPUTS codes, the lowest of equals, and the {upper}_OUTPUTS codes of the
 * last layer. Not reentrant: the layers share static memory. */
int {prefix}_run(const {prefix}_input *input, {prefix}_output *output);

/* The same, with an observer, if it is not 0, of every layer. */
int {prefix}_run_observed(const {prefix}_input *input, {prefix}_output *output,
    {prefix}_observer *observer, void *context);

#endif
",
        title = program.title("the network"),
        table = table(program),
        arena = plan.arena,
        gathered = 2 * plan.gathered,
        ram = plan.bytes(),
        constants = weights + others,
        inputs = stages.input.len(),
        outputs = last.len(),
        layers = stages.stages.len(),
        input = stages.input.c_type(),
        output = last.c_type(),
    )
}

/// A line a layer.
fn table(program: &Program) -> String {
    let Program { stages, plan, .. } = program;
    let mut rows = vec![
        ["", "computes", "output", "bytes", "at"].map(str::to_owned),
        [
            String::new(),
            "input".into(),
            codes(&stages.input),
            stages.input.len().to_string(),
            "the caller's".into(),
        ],
    ];
    for (i, (stage, at)) in stages.stages.iter().zip(&plan.at).enumerate() {
        rows.push([
            i.to_string(),
            stage.layers.join(", "),
            codes(&stage.left),
            stage.output.len().to_string(),
            at.map_or("the caller's".into(), |at| format!("arena + {at}")),
        ]);
    }
    let widths = [0, 1, 2, 3].map(|column| {
        let widths = rows.iter().map(|row| row[column].len());
        widths.max().unwrap_or(0)
    });
    let mut text = String::new();
    for [number, computes, output, bytes, at] in rows {
        let [a, b, c, d] = widths;
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            " * {number:>a$}  {computes:b$}  {output:c$}  {bytes:>d$}  {at}"
        );
    }
    text
}

fn codes(codes: &Codes) -> String {
    let shape: Vec<String> = codes.shape.iter().map(ToString::to_string).collect();
    format!("{} [{}]", codes.c_type(), shape.join(", "))
}
