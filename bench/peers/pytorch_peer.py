"""Birder's network in PyTorch: float32, bfloat16, or bfloat16 compiled by inductor with frozen weights."""

import os
import tempfile

from serve import pixels, serve, task

precision, compiled = task["precision"], task["compiled"]
if compiled:
    os.environ["TORCHINDUCTOR_FREEZING"] = "1"
    # What an earlier run has compiled would make the cold start a warm one.
    cache = tempfile.TemporaryDirectory(prefix="plumage-bench-")
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = cache.name

import torch

torch.set_num_threads(task["threads"])

from birder_net import Features

dtype = getattr(torch, precision)
net = Features(task["network"], task["side"], task["model"]).to(dtype)
call = torch.compile(net) if compiled else net
x = torch.from_numpy(pixels())


def run():
    # Frozen weights need no_grad: inference tensors cannot be traced.
    with torch.no_grad() if compiled else torch.inference_mode():
        return [output.float().numpy() for output in call(x.to(dtype))]


serve(torch.__version__.split("+")[0], run)
