//! `model.c`: the program that writes the kernels of the device, once it is linked with the
//! AutoTiler.
//!
//! ```text
//! settings       memories and paths, which a build may say otherwise    program/settings.c
//! kernels        what each node computes, with its sizes                `kernels`
//! CreateGraph    the ends, every tensor with its file, what is between
//! AddNode        In, Filter, Bias, Out, Scale, ScaleN, Infos of each kernel
//! ```
//!
//! The AutoTiler is closed: its calls are known from their use, and nothing here has been run
//! with it.

mod kernels;

use super::steps::{Constant, ENDS, Kernel, Kind, Steps};
use super::tensors::Element;
use super::{FORMAT, Release};
use crate::export::ExportError;
use crate::model::Model;

/// What a build may say otherwise, and the words in which the rest is written.
const SETTINGS: &str = include_str!("program/settings.c");

/// The file.
pub(super) const FILE: &str = "model.c";

/// The program of these steps.
///
/// # Errors
/// A kernel that the AutoTiler has no call for, or a name that C does not take.
pub(super) fn write(model: &Model, steps: &Steps, release: Release) -> Result<String, ExportError> {
    check_names(model, steps)?;
    let mut parts = Parts::default();
    parts.arguments.push(format!("INPUT_END({:?})", ENDS[0]));
    for (step, kernel) in steps.kernels() {
        let refuse = |what: String| inexpressible(model, &kernel.node, what, WITHOUT);
        let parameters = steps.parameters(kernel);
        let [filter, bias] = parameters.ok_or_else(|| refuse("a kernel without weights".into()))?;
        let input = &steps.steps[kernel.input].shape;
        parts.calls += &kernels::call(step, kernel, input, filter).map_err(refuse)?;
        parts.add(steps, kernel, &step.name, [filter, bias]);
    }
    parts.arguments.push(format!("OUTPUT_END({:?})", ENDS[1]));
    let title = format!(
        "// {}, scheme {}: the AutoTiler's program, as of release {}. Linked with the AutoTiler it\n\
         // writes the C code of every kernel. Not verified by the AutoTiler, see docs/nntool-files.md.\n",
        model.network,
        model.scheme,
        release.name(),
    );
    Ok(format!("{title}\n{SETTINGS}{}", parts.text(&steps.graph)))
}

/// What to do about a network that cannot be written.
const WITHOUT: &str = "choose a network without it";

fn inexpressible(model: &Model, node: &str, what: String, mend: &str) -> ExportError {
    ExportError::Inexpressible {
        network: model.network.clone(),
        node: node.to_owned(),
        format: FORMAT.name,
        what,
        mend: mend.to_owned(),
    }
}

/// Everything that is named becomes a name in C, between quotation marks here.
fn check_names(model: &Model, steps: &Steps) -> Result<(), ExportError> {
    let nodes = steps.steps.iter().map(|step| &step.name);
    let constants = steps.constants().map(|constant| &constant.stem);
    match ([&steps.graph].into_iter().chain(nodes).chain(constants))
        .find(|name| !is_identifier(name))
    {
        None => Ok(()),
        Some(name) => {
            let mend = "take ASCII letters, digits and _, no digit first";
            Err(inexpressible(
                model,
                name,
                format!("the name {name:?}"),
                mend,
            ))
        }
    }
}

fn is_identifier(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What a step's output is called in the graph.
fn output_of(steps: &Steps, at: usize) -> String {
    let is_read = |kind: &Kind| matches!(kind, Kind::Output(of) if *of == at);
    match &steps.steps[at].kind {
        Kind::Input => ENDS[0].into(),
        _ if steps.steps.iter().any(|step| is_read(&step.kind)) => ENDS[1].into(),
        _ => format!("S{at}_Output"),
    }
}

/// What changes from network to network.
#[derive(Default)]
struct Parts {
    calls: String,
    arguments: Vec<String>,
    between: Vec<String>,
    nodes: String,
}

impl Parts {
    fn add(&mut self, steps: &Steps, kernel: &Kernel, name: &str, parameters: [&Constant; 2]) {
        let [input, output] = [kernel.input, kernel.step].map(|at| output_of(steps, at));
        if output != ENDS[1] {
            self.between.push(format!("BETWEEN({output:?})"));
        }
        let [filter, bias] = parameters;
        let [scale, shift, infos] = &kernel.scaling;
        let constants = [filter, bias, scale, shift, infos];
        self.arguments.extend(constants.map(argument));
        let [filter, bias, scale, shift, infos] = constants.map(|constant| &constant.stem);
        self.nodes += &format!(
            "    AddNode({name:?},\n        Bindings(7,\n            \
             READS({input:?}), READS({filter:?}), READS({bias:?}),\n            \
             WRITES({output:?}), READS({scale:?}), READS({shift:?}), READS({infos:?})));\n"
        );
    }

    fn text(&self, graph: &str) -> String {
        let Self {
            calls,
            arguments,
            between,
            nodes,
        } = self;
        let [arguments, between] = [arguments, between].map(|entries| list(entries));
        format!(
            "
static void model(void)
{{
    SetInlineMode(ALWAYS_INLINE);
    SetSymbolDynamics();
    SetUsedFilesNames(0, 1, KARAT_KERNELS);
    SetGeneratedFilesNames(\"{graph}Kernels.c\", \"{graph}Kernels.h\");
    SetMemoryDeviceInfos(4,
        AT_MEM_L1, KARAT_L1_BYTES, \"{graph}_L1_Memory\", 0, 0,
        AT_MEM_L2, KARAT_L2_BYTES, \"{graph}_L2_Memory\", 0, 1,
        KARAT_RAM, KARAT_RAM_BYTES, \"{graph}_L3_Memory\", 0, 0,
        KARAT_FLASH, KARAT_FLASH_BYTES, \"{graph}_L3_Flash\", \"{graph}_L3_Flash_Const.dat\", 0);
    LoadCNN_SQ8_Library();

    // Convolutions: channels in and out, columns, rows; the filter's window, dilation and stride,
    // columns before rows, and whether the map is padded to its own size; the same of the pool.
{calls}
    CreateGraph(\"{graph}CNN\",
        // The ends and the constants.
        {arguments},
        // What one node leaves for the next.
        {between});

    // In, Filter, Bias, Out, Scale, ScaleN, Infos.
{nodes}    CloseGraph();
}}

int main(int argc, char **argv)
{{
    if (TilerParseOptions(argc, argv)) {{
        fputs(\"{graph}: the AutoTiler refuses these options\\n\", stderr);
        return 1;
    }}
    model();
    GenerateTilingCode();
    return 0;
}}
"
        )
    }
}

/// A tensor as the graph declares it, with its shape for who reads the program.
fn argument(constant: &Constant) -> String {
    let Constant {
        stem,
        shape,
        values,
    } = constant;
    let of = match values.element() {
        Element::Int8 => "INT8",
        Element::UInt8 => "UINT8",
        Element::Int32 => "INT32",
    };
    format!("/* {shape:?} */ {of}({stem:?})")
}

/// `CArgs(count, …)`, an entry a line.
fn list(entries: &[String]) -> String {
    let lines = entries
        .iter()
        .map(|entry| format!(",\n            {entry}"));
    format!("CArgs({}{})", entries.len(), lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_c_has_no_digit_first() {
        for name in ["a", "_1", "S3_Conv"] {
            assert!(is_identifier(name), "{name}");
        }
        for name in ["", "1", "1a", "a-b", "a b", "é"] {
            assert!(!is_identifier(name), "{name:?}");
        }
    }
}
