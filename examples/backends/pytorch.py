"""PyTorch's quantized operators (engine x86), for every scheme.

An activation is quint8: int8 codes are shifted by 128, and their zero points with them. The
weights are qint8, with one scale and zero point or with a scale for each output channel; a bias
is float32, which PyTorch makes int32 again. ReLU is not fused, so that every layer is seen.
"""

import sys
import warnings

import numpy as np
import torch

import karat_case

# Eager quantization is deprecated, and still what runs int8 on x86 without a compiler.
warnings.filterwarnings("ignore")
torch.backends.quantized.engine = "x86"

SCHEMES = ("max-abs", "asymmetric", "per-channel", "per-channel-asymmetric")


def shift(tensor):
    return 128 if tensor.dtype == "int8" else 0


def weights(layer):
    codes, scales, zeros = map(torch.from_numpy, (layer.weight, layer.weight_scales, layer.weight_zero_points))
    if len(scales) == 1:
        return torch._make_per_tensor_quantized_tensor(codes, scales.item(), zeros.item())
    return torch._make_per_channel_quantized_tensor(codes, scales, zeros.long(), 0)


def weighted(layer, x):
    import torch.ao.nn.quantized as quantized

    if layer.op == "conv2d":
        outputs, inputs, *kernel = layer.weight.shape
        made = quantized.Conv2d(
            inputs * layer.groups, outputs, kernel, layer.stride, layer.padding, layer.dilation, layer.groups
        )
    else:
        made = quantized.Linear(layer.weight.shape[1], len(layer.weight))
    bias = None
    if layer.bias is not None:
        bias = torch.from_numpy(layer.bias * (layer.input_scale * layer.weight_scales)).float()
    made.set_weight_bias(weights(layer), bias)
    made.scale, made.zero_point = layer.output.scale, layer.output.zero_point + shift(layer.output)
    return made(x)


def compute(layer, codes):
    moved = (codes.astype(np.int16) + shift(layer.given)).astype(np.uint8)
    zero = layer.given.zero_point + shift(layer.given)
    x = torch._make_per_tensor_quantized_tensor(torch.from_numpy(moved), layer.given.scale, zero)
    if layer.op in ("conv2d", "linear"):
        y = weighted(layer, x)
    elif layer.op == "relu":
        y = torch.relu(x)
    elif layer.op == "max_pool2d":
        y = torch.nn.functional.max_pool2d(x, layer.kernel, layer.stride, layer.padding)
    else:
        raise karat_case.Unsupported(layer.op)
    return (y.int_repr().numpy().astype(np.int16) - shift(layer.output)).astype(layer.output.dtype)


if __name__ == "__main__":
    with torch.inference_mode():
        karat_case.run(sys.argv[-1], SCHEMES, compute)
