"""oneDNN from PyPI's development package: `onednn.cpp`, compiled here once."""

import ctypes
import os
import subprocess
import sys
from ctypes import c_float, c_int, c_int64, c_void_p
from pathlib import Path

import numpy as np

SOURCE = Path(__file__).with_name("onednn.cpp")
PREFIX = Path(sys.prefix)


def compiled():
    """The library; compiled anew where it is older than its source or the package."""
    folder = Path(os.environ["KARAT_PEERS_BUILD"])
    library = folder / "libkarat_onednn.so"
    header = PREFIX / "include/oneapi/dnnl/dnnl_version.h"
    if not header.exists():
        raise RuntimeError(f"{header} is not there: the package onednn-devel-cpu-gomp has it")
    if not library.exists() or library.stat().st_mtime < max(path.stat().st_mtime for path in (SOURCE, header)):
        folder.mkdir(parents=True, exist_ok=True)
        command = ["g++", "-std=c++17", "-O2", "-shared", "-fPIC", f"-I{PREFIX}/include", SOURCE, "-o", library]
        command += [f"-L{PREFIX}/lib", "-ldnnl", f"-Wl,-rpath,{PREFIX}/lib"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if "error" in line]
            raise RuntimeError(f"g++ cannot compile {SOURCE.name}: {(errors or [done.returncode])[0]}")
    return ctypes.CDLL(str(library))


def sizes(values):
    return (c_int64 * len(values))(*values)


def pointer(array):
    return None if array is None else array.ctypes.data_as(c_void_p)


class Engine:
    def __init__(self, chain):
        # Read when the library starts its threads.
        os.environ["OMP_NUM_THREADS"] = str(chain.threads)
        self.library = library = compiled()
        library.begin.restype, library.failure.restype, library.run.restype = c_void_p, ctypes.c_char_p, c_int64
        numbers = (c_int * 3)()
        library.version(numbers)
        self.version = ".".join(map(str, numbers))
        is_signed = bool((chain.input < 0).any())
        inputs = np.ascontiguousarray(chain.input.transpose(0, 2, 3, 1))
        self.chain = c_void_p(library.begin(sizes(chain.input.shape), pointer(inputs), int(is_signed)))
        matmul = chain.kind == "matmul"
        self.form = f"{'s8' if is_signed else 'u8'}·s8, s32 out" if matmul else "primitives, u8 or s8·s8, u8 or s8 out"
        self.compares = "accumulators" if matmul else "codes"
        self.shape = chain.shapes()[-1]
        scale = chain.input_scale
        for layer, output, out_scale in zip(chain.layers, chain.shapes(), chain.scales()):
            if layer.op == "flatten":
                continue
            weights = None if layer.weight is None else np.ascontiguousarray(layer.weight)
            # One division by what the accumulator's step is of the output's.
            step = c_float(out_scale / (scale * layer.weight_scale)) if weights is not None else None
            if layer.op == "conv2d":
                self.add("conv2d", sizes(weights.shape), pointer(weights), pointer(layer.bias), c_int64(layer.groups),
                         sizes(layer.stride), sizes(layer.padding), sizes(output), step, int(layer.relu))  # fmt: skip
            elif layer.op == "max_pool2d":
                self.add("max_pool2d", sizes(layer.kernel), sizes(layer.stride), sizes(layer.padding), sizes(output))
            elif matmul:
                rows, terms = len(chain.input), weights.shape[1]
                self.add("product", c_int64(rows), c_int64(terms), c_int64(len(weights)), pointer(weights))
            else:
                self.add("linear", c_int64(len(weights)), pointer(weights), pointer(layer.bias), step, int(layer.relu))
            scale = out_scale

    def add(self, operator, *arguments):
        if getattr(self.library, operator)(self.chain, *arguments):
            raise RuntimeError(f"{operator}: {self.library.failure().decode()}")

    def output(self):
        self.run(1)
        values = np.empty(self.shape, dtype=np.int32)
        self.add("result", pointer(values))
        return values

    def run(self, calls):
        spent = self.library.run(self.chain, c_int64(calls))
        if spent < 0:
            raise RuntimeError(f"run: {self.library.failure().decode()}")
        return spent
