"""One engine as a process that times itself: `server.py ENGINE`.

A line in, a line of JSON out. `load FOLDER` makes the workload's model, writes its outputs to
FOLDER/ENGINE.i32 (real codes or accumulators, NCHW) and says what it runs; `run N` runs it N times
and says how many nanoseconds that took. Neither Python's start nor its imports are counted.
"""

import importlib
import json
import os
import sys
from pathlib import Path

import chain


def load(engine, folder):
    made = importlib.import_module(f"engine_{engine}").Engine(chain.read(folder))
    output = made.output()
    output.astype("<i4").tofile(Path(folder) / f"{engine}.i32")
    return made, {"version": made.version, "form": made.form, "compares": made.compares, "shape": output.shape}


def main():
    engine, made = sys.argv[1], None
    # Libraries that print must not speak in the protocol.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for line in sys.stdin:
        verb, argument = line.rstrip("\n").split(" ", 1)
        try:
            if verb == "load":
                made, answer = load(engine, argument)
            else:
                answer = {"nanoseconds": made.run(int(argument))}
        except Exception as error:  # Whatever a library raises is this engine's result.
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main()
