"""PyTorch's engine x86: packed weights, quint8 activations, scripted and frozen."""

import warnings

import numpy as np
import torch

from clock import timed

# Eager quantization is deprecated, and still what runs int8 on x86 without a compiler.
warnings.filterwarnings("ignore")


class Chain(torch.nn.Module):
    """A chain of quantized operators; activations lie as NHWC."""

    def __init__(self, chain):
        super().__init__()
        self.steps = torch.nn.ModuleList()
        shape = chain.input.shape
        for layer, output, scale, signed in zip(chain.layers, chain.shapes(), chain.scales(), chain.signed()):
            self.steps.append(step(layer, shape, scale, 128 if signed else 0))
            shape = output

    def forward(self, x):
        for each in self.steps:
            x = each(x)
        return x


def weighted(module, layer, weights, scale, zero):
    scales = torch.full((len(weights),), layer.weight_scale, dtype=torch.float64)
    packed = torch._make_per_channel_quantized_tensor(
        torch.from_numpy(np.ascontiguousarray(weights)), scales, torch.zeros(len(weights), dtype=torch.int64), 0
    )
    bias = None
    if layer.bias is not None:
        bias = torch.from_numpy(layer.bias * (layer.input_scale * layer.weight_scale)).float()
    module.set_weight_bias(packed, bias)
    module.scale, module.zero_point = scale, zero
    return module


def step(layer, shape, scale, zero):
    import torch.ao.nn.intrinsic.quantized as fused
    import torch.ao.nn.quantized as quantized

    if layer.op == "conv2d":
        kind = fused.ConvReLU2d if layer.relu else quantized.Conv2d
        outputs, _, *kernel = layer.weight.shape
        made = kind(shape[1], outputs, kernel, stride=layer.stride, padding=layer.padding, groups=layer.groups)
        return weighted(made, layer, layer.weight, scale, zero)
    if layer.op == "linear":
        kind = fused.LinearReLU if layer.relu else quantized.Linear
        return weighted(kind(layer.weight.shape[1], len(layer.weight)), layer, layer.weight, scale, zero)
    if layer.op == "max_pool2d":
        return torch.nn.MaxPool2d(layer.kernel, layer.stride, layer.padding)
    return torch.nn.Flatten()


class Engine:
    version = torch.__version__.split("+")[0]
    form = "engine x86, scripted, u8·s8, NHWC, u8 out"
    compares = "codes"

    def __init__(self, chain):
        torch.set_num_threads(chain.threads)
        torch.backends.quantized.engine = "x86"
        scale = chain.input_scale
        for layer, output in zip(chain.layers, chain.scales()):
            layer.input_scale, scale = scale, output
        zero = 128 if (chain.input < 0).any() else 0
        codes = torch.from_numpy((chain.input.astype(np.int16) + zero).astype(np.uint8))
        inputs = torch._make_per_tensor_quantized_tensor(codes, chain.input_scale, zero)
        self.inputs = inputs.contiguous(memory_format=torch.channels_last)
        self.model = torch.jit.freeze(torch.jit.script(Chain(chain).eval()))

    def output(self):
        with torch.inference_mode():
            found = self.model(self.inputs)
        return found.int_repr().contiguous().numpy().astype(np.int32) - found.q_zero_point()

    def run(self, calls):
        with torch.inference_mode():
            return timed(lambda: self.model(self.inputs), calls)
