"""
Makes a peer a process that is measured: it makes its first embedding, says so, and then runs whenever a line asks it to.

The protocol is that of workers/serve.mjs: the task comes as JSON in the first argument. Answers are lines of JSON on stdout: first `version`, and
`embedding` of the whole batch as base64 of float32; then, for each line `turn SECONDS`, the `seconds` of each pass; for `end`, `peakBytes`.
"""

import base64
import json
import os
import resource
import sys
import time

import numpy as np

# Libraries print what they like, so that stdout becomes stderr for them and only answers get through.
_answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

# A pass that is shorter finds the caches full of the other systems' data.
SHORT_PASS_SECONDS = 0.5

task = json.loads(sys.argv[1])


def pixels(count=task["batch"]):
    """Reads float32 [count, 3, side, side], normalised."""
    side = task["side"]
    return np.fromfile(task["pixels"], np.float32, count * 3 * side * side).reshape(count, 3, side, side)


def serve(version, run):
    """run() makes one pass and returns (tokens [B, T, D], embedding [B, D]) as float32 arrays."""
    started = time.perf_counter()
    _, embedding = run()
    last = time.perf_counter() - started
    _answer(version=version, embedding=base64.b64encode(np.ascontiguousarray(embedding, np.float32)).decode())
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "end":
            unit = 1 if sys.platform == "darwin" else 1024
            _answer(peakBytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
            return
        seconds = []
        if last < SHORT_PASS_SECONDS:
            run()
        while sum(seconds) < float(arguments[0]):
            started = time.perf_counter()
            run()
            last = time.perf_counter() - started
            seconds.append(last)
        _answer(seconds=seconds)


def _answer(**fields):
    _answers.write(json.dumps(fields) + "\n")
    _answers.flush()
