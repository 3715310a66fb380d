"""The folder of a trial: reads `DIR/cases/<case>/case.json`, writes `DIR/outputs/<case>/`.

The format is described in `verify/src/backend/folder/README.md`. A backend is

    for case in karat_case.cases(sys.argv[-1]):
        codes = case.input
        for layer in case.layers:
            codes = ...
            case.write(layer, codes)
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np


class Unsupported(Exception):
    """A layer that a library has no operator for: it and what follows are left out."""


class Case:
    """A stretch of the network: `input` (codes), and `layers` with the fields of case.json.

    `weight` and `bias` of a layer are arrays; `bias` may be None. Scales and zero points of
    the weights have one entry, or one for each output channel.
    """

    def __init__(self, folder, outputs):
        fields = json.loads((folder / "case.json").read_text())
        self.name, self.scheme, self.outputs = fields["case"], fields["scheme"], outputs
        self.input = np.load(folder / fields["input"]["file"])
        # The tensor that a layer is given, described as an output is.
        given = SimpleNamespace(**fields["input"])
        self.layers = []
        for entry in fields["layers"]:
            layer = SimpleNamespace(**entry)
            layer.output, layer.given = SimpleNamespace(**layer.output), given
            if hasattr(layer, "weight"):
                layer.weight = np.load(folder / layer.weight)
                layer.bias = None if layer.bias is None else np.load(folder / layer.bias)
                layer.weight_scales = np.array(layer.weight_scales)
                layer.weight_zero_points = np.array(layer.weight_zero_points)
            self.layers.append(layer)
            given = layer.output

    def write(self, layer, codes, accumulators=None):
        self.outputs.mkdir(parents=True, exist_ok=True)
        np.save(self.outputs / layer.output.file, np.ascontiguousarray(codes))
        if accumulators is not None:
            np.save(self.outputs / layer.accumulators, np.ascontiguousarray(accumulators))


def cases(folder):
    folder = Path(folder)
    for path in sorted((folder / "cases").iterdir()):
        yield Case(path, folder / "outputs" / path.name)


def run(folder, schemes, compute):
    """Every case, layer after layer: `compute(layer, codes)` returns the next codes."""
    for case in cases(folder):
        if case.scheme not in schemes:
            raise SystemExit(f"scheme {case.scheme}: expected one of {', '.join(schemes)}")
        codes = case.input
        for layer in case.layers:
            try:
                codes = codes.reshape(layer.output.shape) if layer.op == "flatten" else compute(layer, codes)
            except Unsupported as why:
                print(f"case {case.name}: from layer {layer.name} on left out: {why}", file=sys.stderr)
                break
            case.write(layer, codes)
