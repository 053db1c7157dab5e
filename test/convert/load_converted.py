"""Loads a converted network with the library whose layout it has, and holds its tokens against expected ones.

    python load_converted.py library path expected.safetensors golden.pth

Prints the largest difference; of Meta's layout, from the golden state dict, since Meta's own code is in no package.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

library, path, expected_path = sys.argv[1:4]
expected = load_file(expected_path)
pixels = expected["pixels"]
order = ["class", "registers", "patches"]
wanted = torch.cat([expected[f"tokens.{part}"] for part in order if f"tokens.{part}" in expected], dim=1)


def hugging_face():
    from transformers import AutoModel

    model, report = AutoModel.from_pretrained(path, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"], report
    return model.eval()(pixels).last_hidden_state


def timm_tokens():
    import timm

    model = timm.create_model(f"local-dir:{path}", pretrained=True).eval()
    return model.forward_features(pixels)


def birder_tokens():
    from birder.common.fs_ops import load_model, load_model_with_cfg

    weights = next(file for file in Path(path).iterdir() if file.suffix in (".safetensors", ".pt"))
    net, _ = load_model_with_cfg(Path(path) / "config.json", weights)
    tokens = net.eval().forward_features(pixels)
    # The file says all by itself, too, under the name of any of Birder's plain networks.
    alone, _ = load_model(
        torch.device("cpu"), "vit_b16", path=weights, st=weights.suffix == ".safetensors", inference=True
    )
    assert torch.equal(alone.forward_features(pixels), tokens)
    registers = net.num_reg_tokens
    return torch.cat([tokens[:, registers : registers + 1], tokens[:, :registers], tokens[:, registers + 1 :]], dim=1)


def facebook_difference():
    file = next(Path(path).iterdir())
    state = torch.load(file, weights_only=True)
    golden = torch.load(sys.argv[4], weights_only=True)
    assert set(state) == set(golden) == set(torch.load(file, mmap=True, weights_only=True))
    return max(float((state[name] - golden[name]).abs().max()) for name in golden)


def tokens_difference():
    tokens = {"hugging-face": hugging_face, "timm": timm_tokens, "birder": birder_tokens}[library]()
    return float((tokens - wanted).abs().max())


with torch.inference_mode():
    print(json.dumps({"difference": facebook_difference() if library == "facebook" else tokens_difference()}))
