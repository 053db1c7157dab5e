"""Runs a network in PyTorch, on the processor or a GPU, as it is or compiled by inductor with frozen weights."""

import os
import tempfile

from serve import pixels, serve, task

precision, compiled, device = task["precision"], task["compiled"], task["device"]
if compiled:
    os.environ["TORCHINDUCTOR_FREEZING"] = "1"
    # What an earlier run has compiled would make the cold start a warm one.
    cache = tempfile.TemporaryDirectory(prefix="plumage-bench-")
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = cache.name

import torch

torch.set_num_threads(task["threads"])

from networks import features

dtype = getattr(torch, precision)
net = features(task["network"], task["side"], task["model"]).to(device, dtype)
call = torch.compile(net) if compiled else net
x = torch.from_numpy(pixels())


def run():
    # Frozen weights need no_grad: inference tensors cannot be traced.
    with torch.no_grad() if compiled else torch.inference_mode():
        return [output.float().cpu().numpy() for output in call(x.to(device, dtype))]


serve(torch.__version__.split("+")[0], run)
