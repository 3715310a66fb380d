//! A linear layer: a dot product for each output, of the codes freed of their zero point.

/// The constants of [`BODY`].
pub(super) fn constants(inputs: usize, outputs: usize) -> Vec<(&'static str, i64)> {
    vec![("INPUTS", inputs as i64), ("OUTPUTS", outputs as i64)]
}

pub(super) const BODY: &str = "
    for (int i = 0; i < INPUTS; i++) {
        gathered[i] = (int16_t)(input[i] - INPUT_ZERO);
    }
    for (int o = 0; o < OUTPUTS; o++) {
        const int zero = weight_zero[o * WEIGHT_ZEROS];
        const int32_t sum = bias[o] + DOT(weights + o * INPUTS, zero, INPUTS);
        output[o] = (output_code)requantize(sum, &rescale[o * RESCALES], OUTPUT_ZERO, LOW, HIGH);
    }
";
