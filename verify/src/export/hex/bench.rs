//! A Verilog test bench of one weighted layer, which reads the memory images and compares.
//!
//! `mac.v` computes the layer's sums from the golden codes of its input; they must be the golden
//! accumulators. Where the contract is one integer multiplication and a shift, `requantize.v`
//! makes codes of them, which must be the golden codes.
//!
//! ```text
//! iverilog -o tb tb_<layer>.v mac.v requantize.v && vvp tb
//! ```

use quant::contracts::MultiplyShift;
use reference::Conv2dGeometry;

use super::super::manifest::{TensorEntry, image_field};
use super::super::{Artifact, ExportError, Kind, Request};
use super::{First, Layout, Place, Word};
use crate::dtype::Dtype;
use crate::model::{Accumulate, Arithmetic, Model, Node, Overflow, Requantize, Step};

const MAC: &str = include_str!("mac.v");
const REQUANTIZE: &str = include_str!("requantize.v");
const BODY: &str = include_str!("bench.v");

/// The layer's nodes.
struct Layer<'a> {
    before: &'a Node,
    sums: &'a Accumulate,
    sums_node: &'a Node,
    codes: &'a Node,
    requantize: &'a Requantize,
}

/// The files of the test bench.
pub(super) fn make(
    request: &Request,
    tensors: &[TensorEntry],
) -> Result<Vec<Artifact>, ExportError> {
    let model = request.model;
    let benches: Vec<Layer> = (1..model.nodes.len())
        .filter_map(|at| layer(model, at))
        .collect();
    let layer = match &request.options.hex.bench {
        None => benches.last(),
        Some(name) => benches.iter().find(|layer| layer.codes.name == *name),
    };
    let layer = layer.ok_or_else(|| ExportError::NoLayer {
        layer: request.options.hex.bench.clone().unwrap_or_default(),
        network: model.network.clone(),
        there: benches
            .iter()
            .map(|layer| &*layer.codes.name)
            .collect::<Vec<_>>()
            .join(", "),
    })?;
    let name = identifier(&layer.codes.name);
    Ok(vec![
        Artifact::text("mac.v", MAC),
        Artifact::text("requantize.v", REQUANTIZE),
        Artifact::text(format!("tb_{name}.v"), text(request, tensors, layer, &name)),
    ])
}

/// The weighted layer whose sums are this node.
fn layer(model: &Model, at: usize) -> Option<Layer<'_>> {
    let (node, codes) = (&model.nodes[at], model.nodes.get(at + 1)?);
    match (&node.step, &codes.step) {
        (Step::Accumulate(sums), Step::Requantize(requantize)) => Some(Layer {
            before: &model.nodes[at - 1],
            sums,
            sums_node: node,
            codes,
            requantize,
        }),
        _ => None,
    }
}

/// What Verilog may be named.
fn identifier(name: &str) -> String {
    name.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}

fn text(request: &Request, tensors: &[TensorEntry], layer: &Layer, name: &str) -> String {
    let options = &request.options.hex;
    let (word, per_word, high_first) = match options.word {
        Word::Bits8 => (8, 1, 0),
        Word::Bits32(First::Low) => (32, 4, 0),
        Word::Bits32(First::High) => (32, 4, 1),
    };
    let placed = |name: &str| tensors.iter().find(|tensor| tensor.name == name);
    let bias = placed(&format!("{}.bias", layer.codes.name));
    let words = |kind| {
        let of_kind = tensors.iter().filter(|tensor| tensor.kind == kind);
        let words = of_kind
            .filter_map(|tensor| tensor.place.as_ref())
            .map(|place| place.words);
        words.sum::<usize>().max(1)
    };
    let constants = constants(layer.requantize);
    let shape = Shape::new(layer);
    let field = match image_field(request.options.images) {
        "{image:02}" => "%02d",
        _ => "%03d",
    };
    let mut parameters = vec![
        ("IMAGES", request.options.images.to_string()),
        ("WORD", word.to_string()),
        ("PER_WORD", per_word.to_string()),
        ("HIGH_FIRST", high_first.to_string()),
        ("CODES_FILE", format!("\"golden{field}.hex\"")),
        ("SUMS_FILE", format!("\"accumulators{field}.hex\"")),
        ("WEIGHT_WORDS", words(Kind::Weights).to_string()),
        ("BIAS_WORDS", words(Kind::Biases).to_string()),
        ("CODE_WORDS", words(Kind::Codes).to_string()),
        ("SUM_WORDS", words(Kind::Accumulators).to_string()),
        ("HAS_BIAS", u8::from(bias.is_some()).to_string()),
        ("HAS_CODES", u8::from(constants.is_some()).to_string()),
        ("BIAS_BASE", base(bias).to_string()),
        ("SUM_BASE", base(placed(&layer.sums_node.name)).to_string()),
    ];
    parameters.extend(shape.parameters());
    let mut text = heading(request, layer, constants.is_some());
    text.push_str(&format!("`timescale 1ns / 1ns\nmodule tb_{name};\n"));
    for (name, value) in parameters {
        text.push_str(&format!("    localparam {name} = {value};\n"));
    }
    for (prefix, tensor) in [
        ("IN", placed(&layer.before.name)),
        ("WEIGHT", placed(&format!("{}.weight", layer.codes.name))),
        ("OUT", placed(&layer.codes.name)),
    ] {
        let place = tensor.and_then(|tensor| tensor.place.as_ref());
        let signed = tensor.is_some_and(|tensor| tensor.dtype == Dtype::Int8);
        text.push_str(&tensor_parameters(prefix, place, signed));
    }
    text.push_str(&zero_points_and_clamp(layer));
    text.push_str(&table(layer, constants.as_deref()));
    text + BODY
}

fn base(tensor: Option<&TensorEntry>) -> usize {
    let place = tensor.and_then(|tensor| tensor.place.as_ref());
    place.map_or(0, |place| place.base_address)
}

fn heading(request: &Request, layer: &Layer, has_codes: bool) -> String {
    let Model {
        network,
        scheme,
        contract,
        ..
    } = request.model;
    let name = &layer.codes.name;
    let compared = match has_codes {
        true => "its accumulators and its codes",
        false => "its accumulators; its contract is no single multiplication and shift",
    };
    format!(
        "// {network}, scheme {scheme}, contract {contract}: layer {name} by itself, from golden codes of\n\
         // its input. Compared are {compared}.\n\
         //\n\
         //     iverilog -o tb tb_{}.v mac.v requantize.v && vvp tb\n\n",
        identifier(name)
    )
}

fn tensor_parameters(prefix: &str, place: Option<&Place>, signed: bool) -> String {
    let (base, row, padded) = place.map_or((0, 1, 1), |place| {
        let Layout {
            row, padded_row, ..
        } = place.layout;
        (place.base_address, row, padded_row)
    });
    format!(
        "    localparam {prefix}_BASE = {base};\n    \
             localparam {prefix}_ROW = {row};\n    \
             localparam {prefix}_PADDED = {padded};\n    \
             localparam {prefix}_SIGNED = {};\n",
        u8::from(signed)
    )
}

fn zero_points_and_clamp(layer: &Layer) -> String {
    // All channels of a layer give the same codes.
    let (zero_point, clamp) = (layer.requantize.channels.first())
        .map_or((0, quant::contracts::Clamp::INT8), |channel| {
            (channel.output_zero_point, channel.clamp)
        });
    let constant =
        |name: &str, value: i32| format!("    localparam signed [8:0] {name} = {value};\n");
    constant("CODE_ZERO_POINT", layer.sums.input_zero_point)
        + &constant("OUT_ZERO_POINT", zero_point)
        + &constant("LOW", clamp.low)
        + &constant("HIGH", clamp.high)
}

/// The constants of each channel, as a task that sets them.
fn table(layer: &Layer, constants: Option<&[MultiplyShift]>) -> String {
    let mut text = String::from(
        "
    reg signed [8:0]  weight_zero_point [0:OUTPUTS-1];
    reg signed [31:0] multiplier [0:OUTPUTS-1];
    reg signed [63:0] addend [0:OUTPUTS-1];
    reg [5:0]         shift [0:OUTPUTS-1];

    task constants;
        begin
",
    );
    for (o, zero_point) in layer.sums.weight_zero_points.iter().enumerate() {
        let of = constants.and_then(|constants| constants.get(o)).copied();
        let MultiplyShift {
            multiplier,
            addend,
            shift,
        } = of.unwrap_or(MultiplyShift {
            multiplier: 0,
            addend: 0,
            shift: 0,
        });
        text.push_str(&format!(
            "            weight_zero_point[{o}] = {zero_point}; multiplier[{o}] = {multiplier}; \
             addend[{o}] = 64'd{addend}; shift[{o}] = {shift};\n"
        ));
    }
    text + "        end\n    endtask\n"
}

/// Of each channel, where each has some.
fn constants(requantize: &Requantize) -> Option<Vec<MultiplyShift>> {
    let (Arithmetic::Contract(contract), Overflow::Saturate) =
        (&requantize.arithmetic, &requantize.overflow)
    else {
        return None;
    };
    (requantize.channels.iter())
        .map(|channel| contract.prepare(channel).ok()?.recipe()?.multiply_shift())
        .collect()
}

/// Extents; a linear layer is a convolution of one pixel.
struct Shape {
    outputs: usize,
    output: [usize; 2],
    input: [usize; 2],
    /// Of a group.
    channels: usize,
    kernel: [usize; 2],
    geometry: Conv2dGeometry,
}

impl Shape {
    fn new(layer: &Layer) -> Self {
        let image = |shape: &[usize]| match *shape {
            [_, _, height, width] => [height, width],
            _ => [1, 1],
        };
        let weight = layer.sums.weight.shape();
        Self {
            outputs: layer.sums.outputs(),
            output: image(&layer.codes.shape),
            input: image(&layer.before.shape),
            channels: weight.get(1).copied().unwrap_or(1),
            kernel: image(weight),
            geometry: layer.sums.geometry.unwrap_or_default(),
        }
    }

    fn parameters(&self) -> Vec<(&'static str, String)> {
        let Conv2dGeometry {
            stride,
            padding,
            dilation,
            groups,
        } = self.geometry;
        vec![
            ("OUTPUTS", self.outputs.to_string()),
            ("OUT_H", self.output[0].to_string()),
            ("OUT_W", self.output[1].to_string()),
            ("IN_H", self.input[0].to_string()),
            ("IN_W", self.input[1].to_string()),
            ("CHANNELS", self.channels.to_string()),
            ("KERNEL_H", self.kernel[0].to_string()),
            ("KERNEL_W", self.kernel[1].to_string()),
            ("STRIDE_H", stride[0].to_string()),
            ("STRIDE_W", stride[1].to_string()),
            ("PADDING_H", padding[0].to_string()),
            ("PADDING_W", padding[1].to_string()),
            ("DILATION_H", dilation[0].to_string()),
            ("DILATION_W", dilation[1].to_string()),
            ("GROUPS", groups.to_string()),
        ]
    }
}
