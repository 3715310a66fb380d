//! `model.c`: constants, one function a layer, and those that `model.h` declares.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::constants::array;
use super::plan::Plan;
use super::requantize::Requantization;
use super::stages::{Stage, Work};
use super::weighted::Weighted;
use super::{Program, Refusal, dot, elementwise, pool};
use crate::export::ExportError;

/// The text of `model.c`, and how many bytes its constants have.
pub(super) struct Source {
    pub(super) text: String,
    /// Weights, and everything else.
    pub(super) bytes: [usize; 2],
}

/// What a layer's function does.
pub(super) struct Function {
    /// Named integers of its own.
    pub(super) constants: Vec<(&'static str, i64)>,
    /// What comes after them.
    pub(super) body: String,
}

impl Source {
    pub(super) fn new(program: &Program) -> Result<Self, ExportError> {
        let Program { model, stages, .. } = program;
        let mut bytes = [0, TABLE];
        let mut weights = BTreeSet::new();
        let (mut requantize, mut guard) = (None, String::new());
        let mut layers = String::new();
        for stage in &stages.stages {
            let refuse = || Refusal::new(model, stage.layers[0]);
            layers.push('\n');
            let Work::Weighted {
                accumulate,
                recipes,
            } = &stage.work
            else {
                layers += &function(stage, &unweighted(stage));
                continue;
            };
            let own = recipes
                .first()
                .map(|recipe| Requantization::new(&recipe.steps));
            let Some(own) = own.flatten() else {
                return Err(refuse().of("this rounding"));
            };
            let text = own.text(program.says);
            guard = own.floats.map_or(String::new(), |float| float.guard());
            if requantize.get_or_insert_with(|| text.clone()) != &text {
                return Err(refuse().of("a second arithmetic in one network"));
            }
            let made = Weighted::new(stage, accumulate, recipes, refuse())?;
            layers += &made.arrays;
            layers.push('\n');
            layers += &function(stage, &made.function);
            weights.insert(made.weights);
            bytes = [0, 1].map(|i| bytes[i] + made.bytes[i]);
        }
        let dots: String = weights.into_iter().map(dot::function).collect();
        let text = format!(
            "{}#include \"model.h\"\n\n#include <limits.h>\n{guard}{INT}\n{}{}{dots}{layers}\n{}\n{}",
            program.title("the network"),
            requantize.unwrap_or_default(),
            memory(&program.plan),
            table(program),
            interface(program),
        );
        Ok(Self { text, bytes })
    }
}

/// What a layer without weights does.
fn unweighted(stage: &Stage) -> Function {
    let (input, output) = (&stage.input, &stage.output);
    let [channels, height, width] = input.planes().map(|extent| extent as i64);
    let (constants, body) = match &stage.work {
        &Work::Relu { low } => (
            vec![("COUNT", input.len() as i64), ("LOW", low.into())],
            elementwise::RELU.to_owned(),
        ),
        Work::MaxPool(geometry) => {
            let mut constants = pool::constants(geometry, input, output);
            constants.push(("LOWEST", if input.is_signed { -128 } else { 0 }));
            (constants, pool::MAX.to_owned())
        }
        Work::AveragePool { pool, rounding } => {
            let mut constants = pool::constants(&pool.geometry.window, input, output);
            constants.extend([
                ("COUNT_PADDING", i64::from(pool.geometry.count_include_pad)),
                ("ZERO", pool.zero_point as i64),
            ]);
            (constants, pool::average(*rounding))
        }
        Work::Interleave | Work::Weighted { .. } => (
            vec![("CHANNELS", channels), ("PLANE", height * width)],
            elementwise::INTERLEAVE.to_owned(),
        ),
    };
    Function { constants, body }
}

fn function(stage: &Stage, function: &Function) -> String {
    let [from, to] = [stage.input.c_type(), stage.output.c_type()];
    format!(
        "/* {} */\nstatic void layer_{}(const {from} *restrict input, {to} *restrict output)\n\
         {{\n    typedef {to} output_code;\n{}{}}}\n",
        stage.layers.join(", "),
        stage.id,
        enumeration(&function.constants),
        function.body,
    )
}

fn enumeration(constants: &[(&str, i64)]) -> String {
    let mut text = String::from("    enum {");
    let mut column = text.len();
    for (i, (name, value)) in constants.iter().enumerate() {
        let comma = if i + 1 < constants.len() { "," } else { "" };
        let item = format!(" {name} = {value}{comma}");
        if column + item.len() > WIDTH {
            text += "\n          ";
            column = 10;
        }
        column += item.len();
        text += &item;
    }
    text + " };\n"
}

/// The longest line of constants.
const WIDTH: usize = 94;

fn memory(plan: &Plan) -> String {
    let mut text = String::from("\n/* All the memory there is; model.h says what lies where. */\n");
    for (of, name, count) in [
        ("uint8_t", "arena", plan.arena),
        ("int16_t", "gathered", plan.gathered),
    ] {
        if count > 0 {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "static {of} {name}[{count}];");
        }
    }
    text
}

/// The code of every pixel.
fn table(program: &Program) -> String {
    let codes: Vec<f64> = (0..=255u8)
        .map(|pixel| program.stages.quantize.one(pixel.into()))
        .collect();
    let of = program.stages.input.c_type();
    format!(
        "/* The code of a pixel from 0 to 255. */\n{}",
        array(of, "code_of_pixel", &codes)
    )
}

/// Bytes of that.
const TABLE: usize = 256;

const INT: &str = "
#if INT_MAX < 2147483647
#error \"int has fewer than 32 bits\"
#endif
";

fn interface(program: &Program) -> String {
    let Program {
        prefix,
        upper,
        stages,
        plan,
        ..
    } = program;
    let mut run = String::new();
    let mut from = "input".to_owned();
    for (i, (stage, at)) in stages.stages.iter().zip(&plan.at).enumerate() {
        let (of, id) = (stage.output.c_type(), &stage.id);
        let to = match at {
            Some(_) => format!("codes_{id}"),
            None => "output".into(),
        };
        if let Some(at) = at {
            // Writing to a string cannot fail.
            let _ = writeln!(run, "    {of} *const {to} = ({of} *)(arena + {at});");
        }
        let _ = writeln!(
            run,
            "    layer_{id}({from}, {to});\n    if (observer) {{\n        observer(context, {i}, {to});\n    }}",
        );
        from = to;
    }
    format!(
        "\
void {prefix}_quantize(const uint8_t *pixels, {prefix}_input *codes)
{{
    for (int i = 0; i < {upper}_INPUTS; i++) {{
        codes[i] = code_of_pixel[pixels[i]];
    }}
}}

int {prefix}_run(const {prefix}_input *input, {prefix}_output *output)
{{
    return {prefix}_run_observed(input, output, 0, 0);
}}

int {prefix}_run_observed(const {prefix}_input *input, {prefix}_output *output,
    {prefix}_observer *observer, void *context)
{{
{run}
    int best = 0;
    for (int i = 1; i < {upper}_OUTPUTS; i++) {{
        best = output[i] > output[best] ? i : best;
    }}
    return best;
}}
"
    )
}
