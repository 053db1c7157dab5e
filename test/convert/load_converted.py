"""Loads converted networks with the libraries whose layouts they have, and holds their tokens against those that the sources have in their own.

    python load_converted.py jobs.json

jobs.json lists {library, path, expected, input, tokens, registers, reordered}: a folder, a file of tensors with the names of pixels and of tokens in it, the number of
registers, and whether these lead the expected tokens, as Birder has them. Prints one line of JSON for each, {difference}, or {error}. Of Meta's layout, whose code is in no
package, {state}: names, shapes and types of the state dict, which `torch.load` must take with weights_only, and map.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file


def hugging_face(path, pixels, _registers):
    import transformers

    config = json.loads((Path(path) / "config.json").read_text())
    name = config["architectures"][0]
    # Where a file has no pooler, these classes would make one of random numbers.
    poolers = {"ViTModel": "pooler_act", "DeiTModel": "pooler_act", "IJepaModel": "pooler_act"}
    options = {"add_pooling_layer": False} if poolers.get(name, "architectures") not in config else {}
    model, report = getattr(transformers, name).from_pretrained(path, output_loading_info=True, **options)
    assert not report["missing_keys"] and not report["unexpected_keys"], report
    network = model.base_model if name.endswith("ForImageClassification") else model
    return network.eval()(pixels).last_hidden_state


def timm_tokens(path, pixels, _registers):
    import timm

    model = timm.create_model(f"local-dir:{path}", pretrained=True).eval()
    return model.forward_features(pixels)


def birder_tokens(path, pixels, registers):
    from birder.common.fs_ops import load_model, load_model_with_cfg

    weights = next(file for file in Path(path).iterdir() if file.suffix in (".safetensors", ".pt"))
    net, config = load_model_with_cfg(Path(path) / "config.json", weights)
    tokens = net.eval().forward_features(pixels)
    # The file says all by itself, too, under the name of any of Birder's networks of its class.
    name = json.loads((Path(path) / "config.json").read_text())["registered_name"]
    alone, _ = load_model(torch.device("cpu"), name, path=weights, st=weights.suffix == ".safetensors", inference=True)
    assert torch.equal(alone.forward_features(pixels), tokens)
    return class_first(tokens, registers) if net.config.get("class_token", True) else tokens


def class_first(tokens, registers):
    return torch.cat([tokens[:, registers : registers + 1], tokens[:, :registers], tokens[:, registers + 1 :]], dim=1)


def facebook_state(path):
    file = next(Path(path).iterdir())
    state = torch.load(file, weights_only=True)
    assert set(state) == set(torch.load(file, mmap=True, weights_only=True))
    return {name: [list(tensor.shape), str(tensor.dtype)] for name, tensor in state.items() if torch.is_tensor(tensor)}


TOKENS = {"hugging-face": hugging_face, "timm": timm_tokens, "birder": birder_tokens}


def done(job):
    if job["library"] == "facebook":
        return {"state": facebook_state(job["path"])}
    expected = load_file(job["expected"])
    wanted = torch.cat([expected[name] for name in job["tokens"]], dim=1)
    if job["reordered"]:
        wanted = class_first(wanted, job["registers"])
    tokens = TOKENS[job["library"]](job["path"], expected[job["input"]], job["registers"])
    if tokens.shape != wanted.shape:
        return {"error": f"tokens {list(tokens.shape)}, expected {list(wanted.shape)}"}
    return {"difference": float((tokens - wanted).abs().max())}


with torch.inference_mode():
    for job in json.loads(Path(sys.argv[1]).read_text()):
        try:
            print("RESULT " + json.dumps(done(job)), flush=True)
        except Exception as error:  # noqa: BLE001
            print("RESULT " + json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
