"""A chain as an ONNX model, NCHW, u8 activations: float operators between QuantizeLinear and
DequantizeLinear, which a runtime fuses to integer ones.

An activation that can be negative has zero point 128, one after a ReLU zero point 0. A matrix
product alone is MatMulInteger.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import chain as chains

OPSET, IR_VERSION = 21, 10


def zero_point(signed):
    return np.uint8(128 if signed else 0)


class Builder:
    def __init__(self, chain):
        self.chain, self.nodes, self.constants = chain, [], {}
        self.count = 0
        self.current, self.scale, self.zero = "x", chain.input_scale, zero_point((chain.input < 0).any())
        shape = chain.input.shape
        for layer, output, scale, signed in zip(chain.layers, chain.shapes(), chain.scales(), chain.signed()):
            getattr(self, layer.op)(layer, np.float32(scale), zero_point(signed))
            self.scale, self.zero, shape = scale, zero_point(signed), output
        self.output_shape = shape

    def name(self, stem):
        self.count += 1
        return f"{stem}{self.count}"

    def constant(self, stem, value):
        name = self.name(stem)
        self.constants[name] = np.asarray(value)
        return name

    def node(self, operator, inputs, **attributes):
        output = self.name(operator)
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def here(self):
        """The scale and zero point of the current activations."""
        return [self.constant("scale", np.float32(self.scale)), self.constant("zero", self.zero)]

    def weighted(self, operator, layer, weights, axis, scale, zero, attributes):
        channels = len(layer.weight)
        step = self.constant("w_scale", np.full(channels, layer.weight_scale, np.float32))
        zeros = self.constant("w_zero", np.zeros(channels, np.int8))
        w = self.constant("w", np.ascontiguousarray(weights))
        inputs = [
            self.node("DequantizeLinear", [self.current, *self.here()]),
            self.node("DequantizeLinear", [w, step, zeros], axis=axis),
        ]
        if layer.bias is not None:
            step = np.full(channels, np.float32(self.scale) * np.float32(layer.weight_scale), np.float32)
            bias = [self.constant("b", layer.bias), self.constant("b_scale", step)]
            inputs.append(self.node("DequantizeLinear", bias, axis=0))
        y = self.node(operator, inputs, **attributes)
        if layer.relu:
            y = self.node("Relu", [y])
        self.current = self.node("QuantizeLinear", [y, self.constant("y_scale", scale), self.constant("y_zero", zero)])

    def conv2d(self, layer, scale, zero):
        # rten wants the dilations even where they are what is understood without them.
        attributes = dict(pads=[*layer.padding, *layer.padding], strides=layer.stride, dilations=(1, 1), group=layer.groups)
        self.weighted("Conv", layer, layer.weight, 0, scale, zero, attributes)

    def linear(self, layer, scale, zero):
        operator = "MatMul" if layer.bias is None else "Gemm"
        self.weighted(operator, layer, layer.weight.T, 1, scale, zero, {})

    def max_pool2d(self, layer, scale, zero):
        attributes = dict(kernel_shape=layer.kernel, strides=layer.stride, pads=[*layer.padding, *layer.padding])
        # Runtimes know a quantized operator by the pair around it.
        real = self.node("DequantizeLinear", [self.current, *self.here()])
        self.current = self.node("QuantizeLinear", [self.node("MaxPool", [real], **attributes), *self.here()])

    def flatten(self, layer, scale, zero):
        self.current = self.node("Flatten", [self.current], axis=1)

    def finish(self):
        graph = helper.make_graph(
            self.nodes, self.chain.name,
            [helper.make_tensor_value_info("x", TensorProto.UINT8, self.chain.input.shape)],
            [helper.make_tensor_value_info(self.current, TensorProto.UINT8, self.output_shape)],
            [numpy_helper.from_array(value, name) for name, value in self.constants.items()],
        )  # fmt: skip
        imports = [helper.make_opsetid("", OPSET)]
        made = helper.make_model(graph, opset_imports=imports, ir_version=IR_VERSION)
        onnx.checker.check_model(made)
        return made


def network(chain):
    return Builder(chain).finish()


def product(chain):
    """The product of a matrix u8 and one of s8, its accumulators the output."""
    (layer,) = [layer for layer in chain.layers if layer.op == "linear"]
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["x", "w"], ["y"])], chain.name,
        [helper.make_tensor_value_info("x", TensorProto.UINT8, chain.input.shape[:2])],
        [helper.make_tensor_value_info("y", TensorProto.INT32, [len(chain.input), len(layer.weight)])],
        [numpy_helper.from_array(np.ascontiguousarray(layer.weight.T), "w")],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def build(chain):
    return product(chain) if chain.kind == "matmul" else network(chain)


def codes(chain):
    """The input as u8 codes, in the model's shape."""
    inputs = (chain.input.astype(np.int16) + zero_point((chain.input < 0).any())).astype(np.uint8)
    return inputs.reshape(inputs.shape[:2]) if chain.kind == "matmul" else inputs


def real(chain, output):
    """A network's output codes without their zero point; accumulators as they are."""
    zero = 0 if output.dtype == np.int32 else zero_point(chain.signed()[-1])
    return output.astype(np.int32) - np.int32(zero)


def main():
    """`onnx_chain.py FOLDER`: the model and its input for an engine that is not Python."""
    folder = Path(sys.argv[1])
    chain = chains.read(folder)
    matmul = chain.kind == "matmul"
    onnx.save(build(chain), folder / "model.onnx")
    inputs = codes(chain)
    inputs.tofile(folder / "input.u8")
    about = {
        "file": "model.onnx",
        "form": "MatMulInteger, u8·s8, s32 out" if matmul else "QDQ, fused or in float, u8·s8, u8 out",
        "compares": "accumulators" if matmul else "codes",
        "shape": inputs.shape,
        "output_zero_point": 0 if matmul else int(zero_point(chain.signed()[-1])),
        "threads": chain.threads,
    }
    (folder / "model.json").write_text(json.dumps(about))


if __name__ == "__main__":
    main()
