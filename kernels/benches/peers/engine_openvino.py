"""OpenVINO's CPU plugin on the ONNX model with QDQ."""

import numpy as np
import openvino
from openvino import properties

import onnx_chain
from clock import timed


class Engine:
    version = openvino.__version__.split("-")[0]
    form = "QDQ, u8·s8, u8 out"
    compares = "codes"

    def __init__(self, chain):
        self.chain = chain
        core = openvino.Core()
        model = core.read_model(onnx_chain.network(chain).SerializeToString())
        settings = {
            properties.inference_num_threads(): chain.threads,
            properties.hint.performance_mode(): properties.hint.PerformanceMode.LATENCY,
            properties.hint.enable_cpu_pinning(): False,
        }
        self.request = core.compile_model(model, "CPU", settings).create_infer_request()
        self.inputs = np.ascontiguousarray(onnx_chain.codes(chain)).reshape(chain.input.shape)
        self.request.set_input_tensor(openvino.Tensor(self.inputs, shared_memory=True))

    def call(self):
        # Not asynchronously: that would hand every call to another thread.
        self.request.infer(share_outputs=True)

    def output(self):
        self.call()
        return onnx_chain.real(self.chain, self.request.get_output_tensor().data)

    def run(self, calls):
        return timed(self.call, calls)
