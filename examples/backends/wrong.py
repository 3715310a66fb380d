"""NumPy alone, right or deliberately wrong: what a report of a mistake looks like.

    python3 wrong.py [--mistake floor|flatten_hwc] [--layer NAME] DIR

Without a mistake it is `golden`, whatever the scheme; with `floor` one layer (the first
weighted one, or --layer) rounds down where it should round to the nearest; with
`flatten_hwc` the flattened features lie in the order of rows, columns, channels.
"""

import argparse

import numpy as np

import karat_case


def windows(codes, kernel, stride, padding, dilation, fill):
    """The values under each tap, as [N, C, taps, rows, columns]."""
    (top, left), (down, across) = padding, stride
    padded = np.pad(codes.astype(np.int64), ((0, 0), (0, 0), (top, top), (left, left)), constant_values=fill)
    rows, columns = (
        (size - step * (taps - 1) - 1) // jump + 1
        for size, taps, step, jump in zip(padded.shape[2:], kernel, dilation, stride)
    )
    taps = []
    for row in range(kernel[0]):
        for column in range(kernel[1]):
            y, x = row * dilation[0], column * dilation[1]
            taps.append(padded[:, :, y : y + down * rows : down, x : x + across * columns : across][:, :, :rows, :columns])
    return np.stack(taps, axis=2)


def accumulators(layer, codes):
    zeros = layer.weight_zero_points.reshape(-1, *[1] * (layer.weight.ndim - 1))
    weight = layer.weight.astype(np.int64) - zeros
    if layer.op == "linear":
        sums = (codes.astype(np.int64) - layer.input_zero_point) @ weight.T
    else:
        kernel = weight.shape[2:]
        taps = windows(codes, kernel, layer.stride, layer.padding, layer.dilation, layer.input_zero_point)
        taps = np.split(taps - layer.input_zero_point, layer.groups, axis=1)
        weight = np.split(weight.reshape(*weight.shape[:2], -1), layer.groups)
        sums = np.concatenate([np.einsum("nctyx,oct->noyx", x, w) for x, w in zip(taps, weight)], axis=1)
    if layer.bias is not None:
        sums = sums + layer.bias.reshape(-1, *[1] * (sums.ndim - 2))
    return sums.astype(np.int32)


def requantized(layer, sums, rounded):
    if hasattr(layer, "mul_scale"):
        # NNTool's: the zero points are in the bias; int32.
        scale, shift = (np.array(of).reshape(-1, *[1] * (sums.ndim - 2)) for of in (layer.mul_scale, layer.mul_shift))
        half = 0 if rounded is np.floor else 1 << shift >> 1
        codes = (sums * scale + half).astype(np.int32) >> shift
        return np.clip(codes, *layer.output.clamp).astype(layer.output.dtype)
    if hasattr(layer, "divisor"):
        steps = sums.astype(np.float32) / np.float32(layer.divisor)
    else:
        multiplier = layer.weight_scales * layer.input_scale / layer.output.scale
        steps = sums * multiplier.reshape(-1, *[1] * (sums.ndim - 2))
    codes = rounded(steps) + layer.output.zero_point
    return np.clip(codes, *layer.output.clamp).astype(layer.output.dtype)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mistake", choices=["floor", "flatten_hwc"])
    parser.add_argument("--layer")
    parser.add_argument("folder")
    arguments = parser.parse_args()
    wrong = arguments.layer
    for case in karat_case.cases(arguments.folder):
        codes = case.input
        for layer in case.layers:
            sums, zero = None, layer.output.zero_point
            if layer.op in ("conv2d", "linear"):
                # `network` is read last: the first weighted layer is that of the first case.
                wrong = wrong or layer.name
                sums = accumulators(layer, codes)
                floor = arguments.mistake == "floor" and layer.name == wrong
                codes = requantized(layer, sums, np.floor if floor else np.rint)
            elif layer.op == "relu":
                codes = np.maximum(codes, np.array(zero, codes.dtype))
            elif layer.op == "max_pool2d":
                lowest = np.iinfo(codes.dtype).min
                taps = windows(codes, layer.kernel, layer.stride, layer.padding, (1, 1), lowest)
                codes = taps.max(axis=2).astype(codes.dtype)
            elif layer.op == "flatten":
                order = (0, 2, 3, 1) if arguments.mistake == "flatten_hwc" else (0, 1, 2, 3)
                codes = codes.transpose(order).reshape(layer.output.shape)
            else:
                break
            case.write(layer, codes, sums)


if __name__ == "__main__":
    main()
