//! Pooling: the largest code of a window, or the mean.

use quant::Rounding;
use reference::PoolGeometry;

use super::stages::Codes;

/// The constants of both bodies.
pub(super) fn constants(
    geometry: &PoolGeometry,
    input: &Codes,
    output: &Codes,
) -> Vec<(&'static str, i64)> {
    let ([channels, height, width], [_, rows, columns]) = (input.planes(), output.planes());
    [
        ("CHANNELS", channels),
        ("HEIGHT", height),
        ("WIDTH", width),
        ("ROWS", rows),
        ("COLUMNS", columns),
        ("KERNEL_Y", geometry.kernel[0]),
        ("KERNEL_X", geometry.kernel[1]),
        ("STRIDE_Y", geometry.stride[0]),
        ("STRIDE_X", geometry.stride[1]),
        ("PADDING_Y", geometry.padding[0]),
        ("PADDING_X", geometry.padding[1]),
        ("PADDED", usize::from(geometry.padding != [0, 0])),
    ]
    .map(|(name, value)| (name, value as i64))
    .to_vec()
}

/// Padding takes no part.
pub(super) const MAX: &str = "
    for (int c = 0; c < CHANNELS; c++) {
        for (int y = 0; y < ROWS; y++) {
            for (int x = 0; x < COLUMNS; x++) {
                int best = LOWEST;
                for (int ky = 0; ky < KERNEL_Y; ky++) {
                    for (int kx = 0; kx < KERNEL_X; kx++) {
                        const int row = y * STRIDE_Y + ky - PADDING_Y;
                        const int column = x * STRIDE_X + kx - PADDING_X;
                        if (PADDED && (row < 0 || row >= HEIGHT || column < 0 || column >= WIDTH)) {
                            continue;
                        }
                        const int code = input[(c * HEIGHT + row) * WIDTH + column];
                        best = code > best ? code : best;
                    }
                }
                output[(c * ROWS + y) * COLUMNS + x] = (output_code)best;
            }
        }
    }
";

/// The mean of the codes less the zero point; padding counts as zeros, or not at all.
pub(super) fn average(rounding: Rounding) -> String {
    // Of sum = below·count + rest, 0 ≤ rest < count.
    let up = match rounding {
        Rounding::TiesToEven => "2 * rest > count || (2 * rest == count && below % 2 != 0)",
        Rounding::TiesAwayFromZero => "2 * rest > count || (2 * rest == count && sum > 0)",
        Rounding::HalfUp => "2 * rest >= count",
        Rounding::Floor => "0",
        Rounding::TowardZero => "sum < 0 && rest != 0",
    };
    AVERAGE.replace("UP", up)
}

const AVERAGE: &str = "
    for (int c = 0; c < CHANNELS; c++) {
        for (int y = 0; y < ROWS; y++) {
            for (int x = 0; x < COLUMNS; x++) {
                int sum = 0;
                int count = COUNT_PADDING ? KERNEL_Y * KERNEL_X : 0;
                for (int ky = 0; ky < KERNEL_Y; ky++) {
                    for (int kx = 0; kx < KERNEL_X; kx++) {
                        const int row = y * STRIDE_Y + ky - PADDING_Y;
                        const int column = x * STRIDE_X + kx - PADDING_X;
                        if (PADDED && (row < 0 || row >= HEIGHT || column < 0 || column >= WIDTH)) {
                            continue;
                        }
                        sum += input[(c * HEIGHT + row) * WIDTH + column] - ZERO;
                        count += !COUNT_PADDING;
                    }
                }
                const int rest = (sum % count + count) % count;
                const int below = (sum - rest) / count;
                const int mean = UP ? below + 1 : below;
                output[(c * ROWS + y) * COLUMNS + x] = (output_code)(mean + ZERO);
            }
        }
    }
";
