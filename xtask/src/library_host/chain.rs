//! A case, layer after layer.

use std::path::Path;

use anyhow::{Context, Result};
use verify::backend::folder::{
    CaseDescription, ERROR, LayerDescription, OUTPUTS, OpDescription, WeightsDescription,
};
use verify::files::{make, replace, replace_npy};

use super::abi::{self, UNSUPPORTED};
use super::case::{Codes, Wanted, Weights, Window};
use super::library::{Library, Returned};

/// Computes the layers of a case and writes them. Returns why the rest is left out, if it is.
///
/// # Errors
/// The case cannot be read, or its outputs not be written.
pub(super) fn run(
    library: &Library,
    case: &CaseDescription,
    folder: &Path,
    trial: &Path,
) -> Result<Option<String>> {
    let outputs = trial.join(OUTPUTS).join(&case.case);
    make(&outputs)?;
    let mut codes = Codes::read(folder, &case.input)?;
    for layer in &case.layers {
        let wanted = Wanted::new(&layer.output)?;
        let mut made = if layer.op == OpDescription::Flatten {
            Made {
                codes: codes.reshaped(wanted.shape)?,
                accumulators: None,
            }
        } else {
            // On stdout: the last line says where it crashed.
            println!(
                "case {}, layer {}: {}",
                case.case,
                layer.name,
                symbol(&layer.op)
            );
            match call(library, layer, folder, &codes, &wanted)? {
                Ok(made) => made,
                Err(Stopped::Unsupported(why)) => {
                    let name = &layer.name;
                    return Ok(Some(format!("from layer {name} on left out: {why}")));
                }
                Err(Stopped::Wrong(why)) => {
                    let said = format!("layer {}: {why}", layer.name);
                    replace(&outputs.join(ERROR), said.as_bytes())?;
                    return Ok(Some(said));
                }
            }
        };
        if let (Some(sums), Some(weights)) = (made.accumulators.take(), weights_of(&layer.op)) {
            replace_npy(
                &outputs.join(&weights.accumulators),
                &layer.output.shape,
                &sums,
            )?;
        }
        write(
            &outputs.join(&layer.output.file),
            &layer.output.shape,
            &made.codes,
        )?;
        codes = made.codes;
    }
    Ok(None)
}

/// What a layer gave.
struct Made {
    codes: Codes,
    accumulators: Option<Vec<i32>>,
}

/// Why a layer gave nothing.
enum Stopped {
    /// The library does not have it.
    Unsupported(String),
    /// It did what karat.h does not allow.
    Wrong(String),
}

fn call(
    library: &Library,
    layer: &LayerDescription,
    folder: &Path,
    codes: &Codes,
    wanted: &Wanted,
) -> Result<Result<Made, Stopped>> {
    let volume = wanted.volume()?;
    let (mut room, mut sums) = (
        Guarded::new(volume, 0x5a),
        Guarded::new(volume, 0x5a5a_5a5a),
    );
    let weights = (weights_of(&layer.op))
        .map(|weights| Weights::read(folder, layer, weights))
        .transpose()?;
    let window = abi::WindowOf::new(&window(&layer.op, weights.as_ref())?);
    let input = abi::Input::new(codes);
    let weights = weights.as_ref().map(abi::Weights::new);
    let accumulators = weights.is_some().then(|| sums.middle());
    let mut output = abi::Output::new(wanted, room.middle(), accumulators);
    let returned: Returned = match (&layer.op, &weights) {
        (OpDescription::Conv2d { .. }, Some(weights)) => {
            library.conv2d(&input, weights, &window, &mut output)
        }
        (OpDescription::Linear { .. }, Some(weights)) => {
            library.linear(&input, weights, &mut output)
        }
        (OpDescription::MaxPool2d { .. }, _) => library.max_pool(&input, &window, &mut output),
        (OpDescription::AvgPool2d { .. }, _) => library.average_pool(&input, &window, &mut output),
        (OpDescription::Relu, _) => library.relu(&input, &mut output),
        _ => None,
    };
    let shown = output.has_accumulators();
    let symbol = symbol(&layer.op);
    if !room.intact() || !sums.intact() {
        return Ok(Err(Stopped::Wrong(format!(
            "{symbol} wrote outside its output of {volume} values"
        ))));
    }
    Ok(match returned {
        Some(0) => Ok(Made {
            codes: Codes {
                shape: wanted.shape,
                params: wanted.params,
                bytes: room.take(),
            },
            accumulators: shown.then(|| sums.take()),
        }),
        Some(UNSUPPORTED) => Err(Stopped::Unsupported(format!(
            "{symbol} returned KARAT_UNSUPPORTED"
        ))),
        Some(code) => Err(Stopped::Wrong(format!(
            "{symbol} returned the error {code}"
        ))),
        None => Err(Stopped::Unsupported(format!(
            "the library has no {symbol}, which karat.h declares"
        ))),
    })
}

/// The function of karat.h.
fn symbol(op: &OpDescription) -> &'static str {
    match op {
        OpDescription::Conv2d { .. } => "karat_conv2d",
        OpDescription::Linear { .. } => "karat_linear",
        OpDescription::MaxPool2d { .. } => "karat_max_pool",
        OpDescription::AvgPool2d { .. } => "karat_average_pool",
        OpDescription::Relu => "karat_relu",
        OpDescription::Flatten => "flatten",
    }
}

fn weights_of(op: &OpDescription) -> Option<&WeightsDescription> {
    match op {
        OpDescription::Conv2d { weights, .. } | OpDescription::Linear { weights } => Some(weights),
        _ => None,
    }
}

fn window(op: &OpDescription, weights: Option<&Weights>) -> Result<Window> {
    let two = |[rows, columns]: [usize; 2]| -> Result<[i32; 2]> {
        Ok([i32::try_from(rows)?, i32::try_from(columns)?])
    };
    let mut window = Window {
        kernel: weights.map_or([1; 2], |weights| [weights.shape[2], weights.shape[3]]),
        stride: [1; 2],
        padding: [0; 2],
        dilation: [1; 2],
        groups: 1,
        count_include_pad: false,
    };
    match *op {
        OpDescription::Conv2d {
            stride,
            padding,
            dilation,
            groups,
            ..
        } => {
            (window.stride, window.padding) = (two(stride)?, two(padding)?);
            window.dilation = two(dilation)?;
            window.groups = i32::try_from(groups)?;
        }
        OpDescription::MaxPool2d {
            kernel,
            stride,
            padding,
        } => {
            (window.kernel, window.stride) = (two(kernel)?, two(stride)?);
            window.padding = two(padding)?;
        }
        OpDescription::AvgPool2d {
            kernel,
            stride,
            padding,
            count_include_pad,
        } => {
            (window.kernel, window.stride) = (two(kernel)?, two(stride)?);
            window.padding = two(padding)?;
            window.count_include_pad = count_include_pad;
        }
        OpDescription::Linear { .. } | OpDescription::Relu | OpDescription::Flatten => {}
    }
    Ok(window)
}

/// Room for values, with a margin on both sides that must stay as it is.
struct Guarded<T> {
    values: Vec<T>,
    fill: T,
}

/// Values on either side.
const MARGIN: usize = 64;

impl<T: Copy + PartialEq> Guarded<T> {
    fn new(length: usize, fill: T) -> Self {
        let values = vec![fill; length + 2 * MARGIN];
        Self { values, fill }
    }

    fn middle(&mut self) -> &mut [T] {
        let end = self.values.len() - MARGIN;
        &mut self.values[MARGIN..end]
    }

    fn intact(&self) -> bool {
        let (start, rest) = self.values.split_at(MARGIN);
        let end = &rest[rest.len() - MARGIN..];
        start.iter().chain(end).all(|value| *value == self.fill)
    }

    fn take(mut self) -> Vec<T> {
        self.middle().to_vec()
    }
}

fn write(path: &Path, shape: &[usize], codes: &Codes) -> Result<()> {
    let written = if codes.params.is_signed {
        let values: Vec<i8> = codes.bytes.iter().map(|byte| byte.cast_signed()).collect();
        replace_npy(path, shape, &values)
    } else {
        replace_npy(path, shape, &codes.bytes)
    };
    written.context("writing an output")
}
