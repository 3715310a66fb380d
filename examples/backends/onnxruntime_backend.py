"""ONNX Runtime's integer operators (QLinearConv, QGemm, Max, MaxPool), for every scheme.

Scales are float32. A linear layer without a bias is given zeros. With several weight scales the
weights' zero points are all 0, which is what these schemes have.
"""

import sys

import numpy as np
import onnxruntime
from onnx import helper, numpy_helper

import karat_case

SCHEMES = ("max-abs", "asymmetric", "per-channel", "per-channel-asymmetric")
OPSET, IR_VERSION = 21, 10


def scalar(value, dtype):
    return np.array(value, dtype)


def quantization(tensor):
    """Scale and zero point, as two inputs of an operator."""
    return [scalar(tensor.scale, np.float32), scalar(tensor.zero_point, tensor.dtype)]


def weighted(layer):
    """(operator, domain, the inputs after the codes, attributes)."""
    one = len(layer.weight_scales) == 1
    scales = layer.weight_scales.astype(np.float32)
    zeros = layer.weight_zero_points.astype(np.int8)
    weights = [layer.weight, scales[0] if one else scales, zeros[0] if one else zeros]
    bias = np.zeros(len(layer.weight), np.int32) if layer.bias is None else layer.bias
    before, after = quantization(layer.given), quantization(layer.output)
    if layer.op == "linear":
        return "QGemm", "com.microsoft", [*before, *weights, bias, *after], {"transB": 1}
    attributes = dict(strides=layer.stride, pads=[*layer.padding, *layer.padding], dilations=layer.dilation, group=layer.groups)
    return "QLinearConv", "", [*before, *weights, *after, bias], attributes


def operator(layer):
    if layer.op in ("conv2d", "linear"):
        return weighted(layer)
    if layer.op == "relu":
        return "Max", "", [scalar(layer.output.zero_point, layer.output.dtype)], {}
    if layer.op == "max_pool2d":
        pads = [*layer.padding, *layer.padding]
        return "MaxPool", "", [], dict(kernel_shape=layer.kernel, strides=layer.stride, pads=pads)
    raise karat_case.Unsupported(layer.op)


def compute(layer, codes):
    kind, domain, constants, attributes = operator(layer)
    names = [f"c{i}" for i in range(len(constants))]

    def value(name, like, shape):
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(like)), shape)

    graph = helper.make_graph(
        [helper.make_node(kind, ["x", *names], ["y"], domain=domain, **attributes)],
        layer.name,
        [value("x", codes.dtype, codes.shape)],
        [value("y", layer.output.dtype, layer.output.shape)],
        [numpy_helper.from_array(np.asarray(constant), name) for name, constant in zip(names, constants)],
    )
    imports = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=IR_VERSION)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": codes})[0]


if __name__ == "__main__":
    karat_case.run(sys.argv[-1], SCHEMES, compute)
