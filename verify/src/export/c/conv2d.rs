//! A convolution: the codes under the kernel, freed of their zero point and padded, are gathered
//! once for all output channels of a group, each of which is then one dot product.

use reference::Conv2dGeometry;

use super::stages::Codes;
use crate::model::Accumulate;

/// The constants of [`BODY`].
pub(super) fn constants(
    geometry: &Conv2dGeometry,
    accumulate: &Accumulate,
    input: &Codes,
    output: &Codes,
) -> Vec<(&'static str, i64)> {
    let ([channels, height, width], [outputs, rows, columns]) = (input.planes(), output.planes());
    let [kernel_y, kernel_x] = [2, 3].map(|axis| accumulate.weight.shape()[axis]);
    [
        ("CHANNELS", channels),
        ("HEIGHT", height),
        ("WIDTH", width),
        ("OUTPUTS", outputs),
        ("ROWS", rows),
        ("COLUMNS", columns),
        ("GROUPS", geometry.groups),
        ("KERNEL_Y", kernel_y),
        ("KERNEL_X", kernel_x),
        ("STRIDE_Y", geometry.stride[0]),
        ("STRIDE_X", geometry.stride[1]),
        ("PADDING_Y", geometry.padding[0]),
        ("PADDING_X", geometry.padding[1]),
        ("PADDED", usize::from(geometry.padding != [0, 0])),
        ("DILATION_Y", geometry.dilation[0]),
        ("DILATION_X", geometry.dilation[1]),
    ]
    .map(|(name, value)| (name, value as i64))
    .into_iter()
    .chain([("PADDING_CODE", accumulate.padding.into())])
    .collect()
}

pub(super) const BODY: &str =
    "    enum { IN = CHANNELS / GROUPS, OUT = OUTPUTS / GROUPS, TAPS = IN * KERNEL_Y * KERNEL_X };

    for (int at = 0; at < GROUPS * ROWS * COLUMNS; at++) {
        const int group = at / (ROWS * COLUMNS);
        const int top = at / COLUMNS % ROWS * STRIDE_Y - PADDING_Y;
        const int left = at % COLUMNS * STRIDE_X - PADDING_X;
        int16_t *to = gathered;
        for (int c = group * IN; c < (group + 1) * IN; c++) {
            for (int ky = 0; ky < KERNEL_Y; ky++) {
                const int row = top + ky * DILATION_Y;
                for (int kx = 0; kx < KERNEL_X; kx++) {
                    const int column = left + kx * DILATION_X;
                    const int outside =
                        PADDED && (row < 0 || row >= HEIGHT || column < 0 || column >= WIDTH);
                    const int code =
                        outside ? PADDING_CODE : input[(c * HEIGHT + row) * WIDTH + column];
                    *to++ = (int16_t)(code - INPUT_ZERO);
                }
            }
        }
        for (int o = group * OUT; o < (group + 1) * OUT; o++) {
            const int zero = weight_zero[o * WEIGHT_ZEROS];
            const int32_t sum = bias[o] + DOT(weights + o * TAPS, zero, TAPS);
            output[o * ROWS * COLUMNS + at % (ROWS * COLUMNS)] = (output_code)requantize(
                sum, &rescale[o * RESCALES], OUTPUT_ZERO, LOW, HIGH);
        }
    }
";
