//! ReLU where it follows no requantization, and channels made the last axis.

pub(super) const RELU: &str = "
    for (int i = 0; i < COUNT; i++) {
        output[i] = (output_code)(input[i] < LOW ? LOW : input[i]);
    }
";

pub(super) const INTERLEAVE: &str = "
    for (int c = 0; c < CHANNELS; c++) {
        for (int i = 0; i < PLANE; i++) {
            output[i * CHANNELS + c] = (output_code)input[c * PLANE + i];
        }
    }
";
