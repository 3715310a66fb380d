//! What convolutions and linear layers share: their constants, and that they requantize.

use quant::contracts::Recipe;

use super::constants::{array, int32};
use super::requantize::{members, size};
use super::source::Function;
use super::stages::Stage;
use super::{Refusal, conv2d, dot, linear};
use crate::export::ExportError;
use crate::model::Accumulate;

/// The parameters of a layer in C.
pub(super) struct Weighted {
    /// Arrays.
    pub(super) arrays: String,
    /// What follows them.
    pub(super) function: Function,
    /// The C type of the weights.
    pub(super) weights: &'static str,
    /// Bytes of the weights, and of everything else.
    pub(super) bytes: [usize; 2],
}

impl Weighted {
    pub(super) fn new(
        stage: &Stage,
        accumulate: &Accumulate,
        recipes: &[Recipe],
        refusal: Refusal,
    ) -> Result<Self, ExportError> {
        let Stage {
            id, input, output, ..
        } = stage;
        let codes = accumulate.weight.data();
        let Some(weights) = byte(codes) else {
            return Err(refusal.of("weights that one byte does not hold"));
        };
        let all: Option<Vec<String>> = recipes.iter().map(members).collect();
        let (Some(all), Some(recipe)) = (all, recipes.first()) else {
            return Err(refusal.of("a factor that is zero or infinite"));
        };
        let (rescales, zeros) = (merged(&all), merged(&accumulate.weight_zero_points));
        // In int32, by the check of the stages.
        let bias: Vec<String> = (accumulate.bias.iter())
            .map(|&bias| int32(bias as i32))
            .collect();
        let (body, mut constants) = match &accumulate.geometry {
            Some(geometry) => (
                conv2d::BODY,
                conv2d::constants(geometry, accumulate, input, output),
            ),
            None => (linear::BODY, linear::constants(input.len(), output.len())),
        };
        constants.extend([
            ("INPUT_ZERO", accumulate.input_zero_point.into()),
            ("OUTPUT_ZERO", recipe.zero_point.into()),
            ("LOW", recipe.clamp.low.into()),
            ("HIGH", recipe.clamp.high.into()),
            ("WEIGHT_ZEROS", i64::from(zeros.len() > 1)),
            ("RESCALES", i64::from(rescales.len() > 1)),
        ]);
        let pointers = format!(
            "    const {weights} *const weights = weights_{id};\n    \
             const int32_t *const bias = bias_{id};\n    \
             const int16_t *const weight_zero = weight_zero_{id};\n    \
             const struct rescale *const rescale = rescale_{id};\n"
        );
        Ok(Self {
            arrays: [
                array(weights, &format!("weights_{id}"), codes),
                array("int32_t", &format!("bias_{id}"), &bias),
                "/* One, or one an output channel. */\n".into(),
                array("int16_t", &format!("weight_zero_{id}"), zeros),
                array("struct rescale", &format!("rescale_{id}"), rescales),
            ]
            .concat(),
            function: Function {
                constants,
                body: pointers + &body.replace("DOT", &dot::name(weights)),
            },
            weights,
            bytes: [
                codes.len(),
                4 * bias.len() + 2 * zeros.len() + rescales.len() * size(&recipe.steps),
            ],
        })
    }
}

/// The C type of one byte that holds them all.
fn byte(codes: &[i32]) -> Option<&'static str> {
    let fit = |low, high| codes.iter().all(|code| (low..=high).contains(code));
    match () {
        () if fit(-128, 127) => Some("int8_t"),
        () if fit(0, 255) => Some("uint8_t"),
        () => None,
    }
}

/// One where all are equal.
fn merged<T: PartialEq>(values: &[T]) -> &[T] {
    match values.split_first() {
        Some((first, rest)) if rest.iter().all(|value| value == first) => &values[..1],
        _ => values,
    }
}
