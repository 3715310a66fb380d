"""LiteRT's int8 operators, for the schemes `per-channel` and `per-channel-asymmetric`.

    python3 litert.py [--kernels xnnpack|optimized|reference] DIR

Each layer is a TFLite model of one operator, NHWC. The weights have a scale for each output
channel and no zero points, which is what TFLite takes.
"""

import argparse

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

import karat_case

SCHEMES = ("per-channel", "per-channel-asymmetric")
SCHEMA_VERSION = 3
RESOLVERS = {
    "xnnpack": OpResolverType.AUTO,
    "optimized": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    "reference": OpResolverType.BUILTIN_REF,
}
# (operator, the version that takes a scale for each channel)
OPERATORS = {"conv2d": ("CONV_2D", 3), "linear": ("FULLY_CONNECTED", 12), "relu": ("RELU", 2), "max_pool2d": ("MAX_POOL_2D", 2)}


def nhwc(array):
    return np.ascontiguousarray(array.transpose(0, 2, 3, 1)) if array.ndim == 4 else array


class Builder:
    """A model of one operator, whose first tensor is its input and whose second its output."""

    def __init__(self):
        self.buffers, self.tensors = [schema.BufferT()], []

    def add(self, shape, kind, scales, zeros, values=None):
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer = f"t{len(self.tensors)}", list(shape), kind, 0
        if values is not None:
            made.buffer = len(self.buffers)
            self.buffers.append(schema.BufferT())
            self.buffers[-1].data = np.frombuffer(np.ascontiguousarray(values).tobytes(), dtype=np.uint8)
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale, made.quantization.zeroPoint = [float(s) for s in scales], [int(z) for z in zeros]
        made.quantization.quantizedDimension = 0
        self.tensors.append(made)

    def finish(self, operator, version, options):
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, operator)
        code.version = version
        node = schema.OperatorT()
        node.opcodeIndex, node.inputs, node.outputs = 0, [0, *range(2, len(self.tensors))], [1]
        if options is not None:
            node.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
            node.builtinOptions = options
        graph, model = schema.SubGraphT(), schema.ModelT()
        graph.tensors, graph.operators, graph.inputs, graph.outputs = self.tensors, [node], [0], [1]
        model.version, model.operatorCodes, model.subgraphs, model.buffers = SCHEMA_VERSION, [code], [graph], self.buffers
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def options_of(layer):
    none = schema.ActivationFunctionType.NONE
    if layer.op == "linear":
        made = schema.FullyConnectedOptionsT()
    elif layer.op == "conv2d":
        if layer.groups != 1:
            raise karat_case.Unsupported("a convolution in groups")
        made = schema.Conv2DOptionsT()
        made.dilationHFactor, made.dilationWFactor = layer.dilation
    elif layer.op == "max_pool2d":
        made = schema.Pool2DOptionsT()
        made.filterHeight, made.filterWidth = layer.kernel
    else:
        return None
    made.fusedActivationFunction = none
    if layer.op != "linear":
        made.strideH, made.strideW = layer.stride
        kernel = layer.weight.shape[2:] if layer.op == "conv2d" else layer.kernel
        if tuple(layer.padding) == (0, 0):
            made.padding = schema.Padding.VALID
        elif tuple(layer.stride) == (1, 1) and all(2 * pad + 1 == size for pad, size in zip(layer.padding, kernel)):
            made.padding = schema.Padding.SAME
        else:
            raise karat_case.Unsupported(f"a padding of {layer.padding} for {kernel}")
    return made


def compute(layer, codes, kernels):
    if layer.op not in OPERATORS:
        raise karat_case.Unsupported(layer.op)
    inputs = nhwc(codes)
    shape = nhwc(np.empty(layer.output.shape, np.int8)).shape
    model, kinds = Builder(), schema.TensorType
    model.add(inputs.shape, kinds.INT8, [layer.given.scale], [layer.given.zero_point])
    model.add(shape, kinds.INT8, [layer.output.scale], [layer.output.zero_point])
    if layer.op in ("conv2d", "linear"):
        channels = len(layer.weight)
        weight = nhwc(layer.weight)
        model.add(weight.shape, kinds.INT8, layer.weight_scales, layer.weight_zero_points, weight)
        # LiteRT refuses a convolution without a bias; the converter writes zeros.
        bias = np.zeros(channels, np.int32) if layer.bias is None else layer.bias
        model.add([channels], kinds.INT32, layer.input_scale * layer.weight_scales, [0] * channels, bias)
    content = model.finish(*OPERATORS[layer.op], options_of(layer))
    interpreter = Interpreter(model_content=content, num_threads=1, experimental_op_resolver_type=RESOLVERS[kernels])
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], inputs)
    interpreter.invoke()
    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return found.transpose(0, 3, 1, 2) if found.ndim == 4 else found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kernels", choices=RESOLVERS, default="xnnpack")
    parser.add_argument("folder")
    arguments = parser.parse_args()
    karat_case.run(arguments.folder, SCHEMES, lambda layer, codes: compute(layer, codes, arguments.kernels))


if __name__ == "__main__":
    main()
