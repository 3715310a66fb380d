"""ONNX Runtime's CPU provider: QDQ models, which it fuses, and MatMulInteger."""

import onnxruntime

import onnx_chain
from clock import timed


class Engine:
    version = onnxruntime.__version__

    def __init__(self, chain):
        self.chain, matmul = chain, chain.kind == "matmul"
        self.form = "MatMulInteger, u8·s8, s32 out" if matmul else "QDQ, u8·s8, u8 out"
        self.compares = "accumulators" if matmul else "codes"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = chain.threads
        options.log_severity_level = 3
        # A thread that waits by spinning would take the time of the next engine.
        options.add_session_config_entry("session.intra_op.allow_spinning", "1" if chain.threads > 1 else "0")
        options.add_session_config_entry("session.force_spinning_stop", "1")
        model = onnx_chain.build(chain).SerializeToString()
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.binding = self.session.io_binding()
        self.inputs = onnxruntime.OrtValue.ortvalue_from_numpy(onnx_chain.codes(chain))
        self.binding.bind_ortvalue_input("x", self.inputs)
        self.session_output = self.session.get_outputs()[0]
        self.binding.bind_output(self.session_output.name, "cpu")
        self.session.run_with_iobinding(self.binding)
        # The same memory every time, so that allocating it is not counted.
        (self.found,) = self.binding.get_outputs()
        self.binding.clear_binding_outputs()
        self.binding.bind_ortvalue_output(self.session_output.name, self.found)

    def output(self):
        self.call()
        return onnx_chain.real(self.chain, self.found.numpy())

    def call(self):
        self.session.run_with_iobinding(self.binding)

    def run(self, calls):
        return timed(self.call, calls)
