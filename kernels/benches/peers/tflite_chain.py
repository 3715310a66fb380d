"""A chain as a TFLite flatbuffer: NHWC, int8 activations, weights with a scale for every channel."""

import sys
from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

sys.path.append(str(Path(__file__).parents[3] / "fixtures/export"))
from tflite_models import SCHEMA_VERSION, tensor  # noqa: E402

# The versions from which weights may have a scale for every channel.
OPERATORS = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 12, "MAX_POOL_2D": 2}


def nhwc(shape):
    return (shape[0], *shape[2:], shape[1]) if len(shape) == 4 else tuple(shape)


def padding(layer, kernel):
    if tuple(layer.padding) == (0, 0):
        return schema.Padding.VALID
    if tuple(layer.stride) == (1, 1) and all(2 * pad + 1 == size for pad, size in zip(layer.padding, kernel)):
        return schema.Padding.SAME
    raise ValueError(f"TFLite has no padding of {layer.padding} for {kernel}")


class Builder:
    def __init__(self, chain):
        self.buffers, self.tensors, self.codes, self.nodes = [schema.BufferT()], [], [], []
        shape = chain.input.shape
        self.current = self.add("x", nhwc(shape), [chain.input_scale])
        self.graph_input = self.current
        scale = chain.input_scale
        for layer, output in zip(chain.layers, chain.shapes()):
            if layer.op != "flatten":
                getattr(self, layer.op)(layer, shape, output, scale)
                scale = layer.output_scale or scale
                shape = output

    def add(self, name, shape, scales, values=None, kind=schema.TensorType.INT8, axis=0):
        buffer = 0
        if values is not None:
            self.buffers.append(schema.BufferT())
            self.buffers[-1].data = np.frombuffer(np.ascontiguousarray(values).tobytes(), dtype=np.uint8)
            buffer = len(self.buffers) - 1
        self.tensors.append(tensor(f"{name}{len(self.tensors)}", shape, kind, buffer, scales, [0] * len(scales), axis))
        return len(self.tensors) - 1

    def node(self, operator, inputs, output, options):
        code = getattr(schema.BuiltinOperator, operator)
        if code not in [made.builtinCode for made in self.codes]:
            made = schema.OperatorCodeT()
            made.builtinCode = made.deprecatedBuiltinCode = code
            made.version = OPERATORS[operator]
            self.codes.append(made)
        node = schema.OperatorT()
        node.opcodeIndex = [made.builtinCode for made in self.codes].index(code)
        node.inputs, node.outputs = [self.current, *inputs], [output]
        node.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        node.builtinOptions = options
        self.nodes.append(node)
        self.current = output

    def weighted(self, operator, layer, weights, axis, output, scale, options):
        channels = layer.weight.shape[0]
        scales = [layer.weight_scale] * channels
        # LiteRT refuses a convolution without a bias; the converter writes zeros.
        bias = layer.bias if layer.bias is not None else np.zeros(channels, dtype=np.int32)
        inputs = [
            self.add("w", weights.shape, scales, weights, axis=axis),
            self.add("b", bias.shape, [scale * each for each in scales], bias, schema.TensorType.INT32),
        ]
        kinds = schema.ActivationFunctionType
        options.fusedActivationFunction = kinds.RELU if layer.relu else kinds.NONE
        self.node(operator, inputs, self.add("y", nhwc(output), [layer.output_scale]), options)

    def conv2d(self, layer, shape, output, scale):
        depthwise = layer.groups > 1
        if depthwise and not layer.groups == shape[1] == output[1]:
            raise ValueError("TFLite has no grouped convolution but the depthwise one")
        options = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
        if depthwise:
            options.depthMultiplier = 1
        options.padding = padding(layer, layer.weight.shape[2:])
        options.strideH, options.strideW = layer.stride
        options.dilationHFactor = options.dilationWFactor = 1
        operator, axes = ("DEPTHWISE_CONV_2D", (1, 2, 3, 0)) if depthwise else ("CONV_2D", (0, 2, 3, 1))
        self.weighted(operator, layer, layer.weight.transpose(axes), axes.index(0), output, scale, options)

    def max_pool2d(self, layer, shape, output, scale):
        options = schema.Pool2DOptionsT()
        options.padding = padding(layer, layer.kernel)
        options.strideH, options.strideW = layer.stride
        options.filterHeight, options.filterWidth = layer.kernel
        options.fusedActivationFunction = schema.ActivationFunctionType.NONE
        self.node("MAX_POOL_2D", [], self.add("y", nhwc(output), [scale]), options)

    def linear(self, layer, shape, output, scale):
        weights = layer.weight
        if len(shape) == 4:
            # The features lie in the order of NHWC.
            weights = weights.reshape(-1, *shape[1:]).transpose(0, 2, 3, 1).reshape(weights.shape)
        self.weighted("FULLY_CONNECTED", layer, weights, 0, output, scale, schema.FullyConnectedOptionsT())

    def finish(self):
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.nodes
        graph.inputs, graph.outputs = [self.graph_input], [self.current]
        model = schema.ModelT()
        model.version, model.operatorCodes = SCHEMA_VERSION, self.codes
        model.subgraphs, model.buffers = [graph], self.buffers
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def build(chain):
    return Builder(chain).finish()
