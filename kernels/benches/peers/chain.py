"""A workload as `cargo xtask bench` writes it: layers in a row, on int8 codes with zero point 0."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass
class Layer:
    """One operator; `relu` is that of the next layer, fused."""

    op: str
    weight: np.ndarray | None = None
    bias: np.ndarray | None = None
    weight_scale: float = 0.0
    output_scale: float = 0.0
    relu: bool = False
    stride: tuple = (1, 1)
    padding: tuple = (0, 0)
    groups: int = 1
    kernel: tuple = (0, 0)


@dataclass
class Chain:
    name: str
    kind: str
    threads: int
    input: np.ndarray
    input_scale: float
    layers: list

    def shapes(self):
        """The shape of every layer's output, NCHW."""
        shape, found = self.input.shape, []
        for layer in self.layers:
            if layer.op == "flatten":
                shape = (shape[0], int(np.prod(shape[1:])))
            elif layer.op == "linear":
                shape = (shape[0], layer.weight.shape[0])
            else:
                channels, kernel = shape[1], layer.kernel
                if layer.op == "conv2d":
                    channels, kernel = layer.weight.shape[0], layer.weight.shape[2:]
                rows, columns = (
                    (size + 2 * pad - window) // stride + 1
                    for size, pad, window, stride in zip(shape[2:], layer.padding, kernel, layer.stride)
                )
                shape = (shape[0], channels, rows, columns)
            found.append(shape)
        return found

    def scales(self):
        """The scale of every layer's output."""
        scale, found = self.input_scale, []
        for layer in self.layers:
            if layer.weight is not None:
                scale = layer.output_scale
            found.append(scale)
        return found

    def signed(self):
        """Whether a layer's output can be negative: not after a ReLU, and not where no weight is seen since."""
        signed, found = bool((self.input < 0).any()), []
        for layer in self.layers:
            if layer.weight is not None:
                signed = not layer.relu
            found.append(signed)
        return found


def read(folder):
    folder = Path(folder)
    text = json.loads((folder / "workload.json").read_text())

    def array(entry, kind):
        return np.fromfile(folder / entry["file"], dtype=kind).reshape(entry["shape"])

    layers = []
    for fields in text["layers"]:
        if "weight" in fields:
            fields["weight"] = array(fields["weight"], np.int8)
        if fields.get("bias") is not None:
            fields["bias"] = array(fields["bias"], np.dtype("<i4"))
        layers.append(Layer(**fields))
    return Chain(
        text["name"], text["kind"], text["threads"], array(text["input"], np.int8), text["input_scale"], layers
    )
