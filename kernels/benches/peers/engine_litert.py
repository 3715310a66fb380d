"""LiteRT with its default delegate, XNNPACK."""

import importlib.metadata

import numpy as np
from ai_edge_litert.interpreter import Interpreter

import tflite_chain
from clock import timed


class Engine:
    version = importlib.metadata.version("ai-edge-litert")
    form = "XNNPACK, s8·s8, NHWC, s8 out"
    compares = "codes"

    def __init__(self, chain):
        self.interpreter = Interpreter(model_content=tflite_chain.build(chain), num_threads=chain.threads)
        self.interpreter.allocate_tensors()
        if not any(op["op_name"] == "DELEGATE" for op in self.interpreter._get_ops_details()):
            raise RuntimeError("nothing was delegated to XNNPACK")
        inputs = chain.input
        if inputs.ndim == 4:
            inputs = np.ascontiguousarray(inputs.transpose(0, 2, 3, 1))
        self.interpreter.set_tensor(self.interpreter.get_input_details()[0]["index"], inputs)

    def output(self):
        self.interpreter.invoke()
        found = self.interpreter.get_tensor(self.interpreter.get_output_details()[0]["index"])
        return found.transpose(0, 3, 1, 2) if found.ndim == 4 else found

    def run(self, calls):
        return timed(self.interpreter.invoke, calls)
