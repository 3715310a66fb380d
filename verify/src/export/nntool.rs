//! What NNTool writes of a quantized network, all in one folder.
//!
//! | file | what |
//! | --- | --- |
//! | `<network>.json` | commands and ranges, from which everything else follows: [`state`] |
//! | `model.h` | scales and zero points: [`header`], [`qscale`] |
//! | `tensors/*.tensor` | weights, biases, multipliers, shifts, infos: [`tensors`] |
//! | `model.c` | the AutoTiler's program, which reads the tensors: `program` |
//!
//! [`steps`] counts and names what they hold, [`source`] is the network that they are made of,
//! [`import`] holds a folder of NNTool's against what Karat makes of its ranges.

pub mod header;
pub mod import;
pub(super) mod names;
mod program;
pub mod qscale;
pub mod source;
pub mod state;
pub mod steps;
pub mod tensors;

use quant::sq8::{Sq8Options, Sq8Weights};
use reference::InputSpec;

use super::{Artifact, ExportError, Format, Request};
use crate::model::{GOLDEN, Model};
use qscale::Form;
use source::Source;
use steps::Steps;

/// What NNTool leaves open, and what its releases do otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct NntoolOptions {
    /// Write QNORM as NNTool does, wrong where the mantissa of a scale is 255/256 or more.
    pub faithful: bool,
    /// Whose files.
    pub release: Release,
}

/// Releases that write different files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Release {
    /// 4.22: infos of 13 bytes, the graph's name before those of its nodes, outputs with zero
    /// points by default.
    #[default]
    V4_22,
    /// 4.0: infos of 9 bytes, no graph before names, no zero points by default.
    V4_0,
}

impl Release {
    /// Every release.
    pub const ALL: [Self; 2] = [Self::V4_22, Self::V4_0];

    /// As it is written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::V4_22 => "4.22",
            Self::V4_0 => "4.0",
        }
    }

    /// The release of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|release| release.name() == name)
    }

    /// What a node is called in `model.h`.
    fn in_header(self, graph: &str, node: &str) -> String {
        match self {
            Self::V4_22 => format!("{graph}_{node}"),
            Self::V4_0 => node.to_owned(),
        }
    }

    /// What has to be said so that outputs have zero points, or none.
    fn flag(self, asymmetric: bool) -> &'static str {
        match (self, asymmetric) {
            (Self::V4_22, true) | (Self::V4_0, false) => "",
            (Self::V4_22, false) => " --no_allow_asymmetric_out",
            (Self::V4_0, true) => " --allow_asymmetric",
        }
    }
}

impl NntoolOptions {
    fn form(self) -> Form {
        match self.faithful {
            true => Form::Faithful,
            false => Form::Right,
        }
    }
}

pub(super) const FORMAT: Format = Format {
    name: "nntool",
    what: "the files of GreenWaves NNTool: state, model.h, raw tensors, the AutoTiler's model.c",
    next: "<network>.json is the state, model.h the scales, tensors/ the constants, model.c the AutoTiler's program;\n\
           `cargo xtask nntool import` reads such a folder and says what differs.",
    make,
};

fn make(request: &Request) -> Result<Vec<Artifact>, ExportError> {
    let Request {
        model,
        images,
        options,
    } = request;
    let nntool = options.nntool;
    let (settings, layers) = quantized(model)?;
    let source = Source::new(&model.origin.float)?;
    let steps = Steps::new(&source, &layers, nntool.release)?;
    let mut state = source.stats(&source.ranges(&images.calibration)?);
    state.history = commands(model, &settings, nntool.release);
    let mut files = vec![
        Artifact::text(format!("{}.json", model.network), state::write(&state)),
        Artifact::text("model.h", header(&steps, nntool)),
        Artifact::text(
            program::FILE,
            program::write(model, &steps, nntool.release)?,
        ),
    ];
    files.extend((steps.constants()).map(|constant| {
        Artifact::bytes(
            format!("{TENSORS}/{}", constant.file()),
            constant.values.to_bytes(),
        )
    }));
    Ok(files)
}

/// The folder of the tensors.
const TENSORS: &str = "tensors";

/// `model.h` of these steps.
fn header(steps: &Steps, options: NntoolOptions) -> String {
    let nodes: Vec<(String, f64, i32)> = (steps.steps.iter())
        .map(|step| {
            let name = options.release.in_header(&steps.graph, &step.name);
            (name, step.scale, step.zero_point)
        })
        .collect();
    let nodes = nodes
        .iter()
        .map(|(name, scale, z)| (name.as_str(), *scale, *z));
    header::write(&steps.graph, options.form(), nodes)
}

/// What NNTool was told, and the parameters of the weighted layers in order.
fn quantized(model: &Model) -> Result<(Sq8Options, Vec<&Sq8Weights>), ExportError> {
    let refuse = |what: String, mend: &str| ExportError::Inexpressible {
        network: model.network.clone(),
        node: "input".into(),
        format: FORMAT.name,
        what,
        mend: mend.into(),
    };
    let layers = model.origin.layers.iter().map(|layer| layer.sq8.as_deref());
    let (Some(settings), Some(layers)) = (model.scheme.sq8(), layers.collect()) else {
        let what = format!("scheme {}", model.scheme);
        return Err(refuse(
            what,
            "take --scheme nntool-sq8 or nntool-sq8-symmetric",
        ));
    };
    if model.contract != GOLDEN {
        let what = format!(
            "contract {}: its kernels have one arithmetic",
            model.contract
        );
        return Err(refuse(what, "leave --contract out"));
    }
    Ok((settings, layers))
}

/// The commands that lead to such a state: pixel/divisor + offset is the network's input.
fn commands(model: &Model, settings: &Sq8Options, release: Release) -> Vec<String> {
    let InputSpec { shape, .. } = model.origin.float.input();
    let [divisor, offset] = normalization(model.origin.float.input());
    let [channels, height, width] = shape;
    let transpose = match channels {
        1 => "",
        _ => " -T",
    };
    vec![
        format!("open {}.onnx", model.network),
        "adjust".into(),
        "fusions --scale8".into(),
        format!(
            "aquant calibration/*{transpose} -H {height} -W {width} --scheme SQ8 -D {divisor} -O {offset}{}",
            release.flag(settings.asymmetric_outputs)
        ),
    ]
}

/// `(pixel/255 − mean)/std = pixel/D + O`: D = 255·std, O = −mean/std.
fn normalization(input: &InputSpec) -> [f64; 2] {
    // The decimals that the network was given, and not those of their float32.
    let decimal = |x: f32| x.to_string().parse().unwrap_or(f64::from(x));
    let (mean, std): (f64, f64) = (decimal(input.mean), decimal(input.std));
    [255.0 * std, -mean / std]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faithful_is_with_nntools_fault() {
        let of = |faithful| NntoolOptions {
            faithful,
            ..NntoolOptions::default()
        };
        assert_eq!(of(true).form(), Form::Faithful);
        assert_eq!(of(false).form(), Form::Right);
    }
}
