"""Loads converted networks with the libraries whose layouts they have, and holds their numbers against those that the sources have in their own.

    python load_converted.py jobs.json

jobs.json lists {library, path, expected, input, output, registers, isReordered, textAtol, textSource, own}: a folder, a file of tensors with the names of pixels and of what is expected in it (several
are joined; `embedding` is what stands for an image, anything else the tokens), the number of registers, whether these lead the expected tokens, as Birder has them, how far off a text may be, the file of open_clip whose texts are expected where no golden has any, and, where none was kept, the library and folder
of the source itself, which gives what is expected. Prints a
line for each: {difference}, or {error}. Of Meta's layouts, whose code is in no package, {names}: those of the state dict, which `torch.load` takes with weights_only, and maps.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file


def hugging_face(path, pixels, job):
    import transformers

    config = json.loads((Path(path) / "config.json").read_text())
    name = config["architectures"][0]
    # Where a file has no pooler, these classes would make one of random numbers.
    makes_pooler = name in ("ViTModel", "DeiTModel") and "pooler_act" not in config
    options = {"add_pooling_layer": False} if makes_pooler else {}
    model, report = getattr(transformers, name).from_pretrained(path, output_loading_info=True, **options)
    assert not report["missing_keys"] and not report["unexpected_keys"], report
    if name == "CLIPModel":
        ids = ids_of(job)
        check_texts(model.eval().get_text_features(input_ids=ids).pooler_output, ids, job)
        return model.get_image_features(pixel_values=pixels).pooler_output
    if job["output"] == ["embedding"]:
        given = model.eval()(pixels)
        return given.pooler_output if name == "Aimv2VisionModel" else given.image_embeds
    network = model.base_model if "ForImageClassification" in name else model
    return network.eval()(pixels).last_hidden_state


def ids_of(job):
    ids = load_file(job["expected"]).get("input_ids")
    # The largest token ends a text.
    return torch.tensor([[62, 5, 9, 63, 0, 0, 0, 0, 0, 0]]) if ids is None else ids.long()


def check_texts(texts, ids, job):
    expected = load_file(job["expected"]).get("text_features")
    if expected is None:
        expected = job_source(job).encode_text(ids)
    assert (texts - expected).abs().max() < job["textAtol"], (texts - expected).abs().max()


def job_source(job):
    from open_clip import create_model

    # A file of training has what is around the names that a published one does not have.
    path = Path(job["textSource"])
    model = create_model(f"local-dir:{path.parent}", load_weights=False).eval()
    state = load_file(path) if path.suffix == ".safetensors" else torch.load(path, weights_only=True)["state_dict"]
    model.load_state_dict({name.removeprefix("module."): value for name, value in state.items()})
    return model


def timm(path, pixels, job):
    from timm import create_model

    model = create_model(f"local-dir:{path}", pretrained=True).eval()
    return model(pixels) if job["output"] == ["embedding"] else model.forward_features(pixels)


def birder(path, pixels, job):
    from birder.common.fs_ops import load_model, load_model_with_cfg

    weights = next(file for file in Path(path).iterdir() if file.suffix in (".safetensors", ".pt"))
    net, config = load_model_with_cfg(Path(path) / "config.json", weights)
    tokens = net.eval().forward_features(pixels)
    # The file says all by itself, too, under the name of any of Birder's networks of its class.
    name = config["registered_name"]
    alone, _ = load_model(torch.device("cpu"), name, path=weights, st=weights.suffix == ".safetensors", inference=True)
    assert torch.equal(alone.forward_features(pixels), tokens)
    # Its DeiT has no such setting, and the class token in front already.
    return class_first(tokens, job["registers"]) if net.config.get("class_token", False) else tokens


def open_clip(path, pixels, job):
    from open_clip import create_model

    assert job["output"] == ["embedding"]
    weights = load_file(Path(path) / "open_clip_model.safetensors")
    if "text_projection" in weights:
        model = create_model(f"local-dir:{path}").eval()
        ids = ids_of(job)
        check_texts(model.encode_text(ids), ids, job)
        return model.encode_image(pixels)
    # The text tower that it builds beside is not in the file.
    model = create_model(f"local-dir:{path}", load_weights=False).eval()
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected and not [name for name in missing if name.startswith("visual.")], (missing, unexpected)
    return model.encode_image(pixels)


def class_first(tokens, registers):
    return torch.cat([tokens[:, registers : registers + 1], tokens[:, :registers], tokens[:, registers + 1 :]], dim=1)


def facebook_names(path):
    file = next(Path(path).iterdir())
    state = torch.load(file, weights_only=True)
    assert set(state) == set(torch.load(file, mmap=True, weights_only=True))
    inner = {f"{entry}/{name}" for entry, value in state.items() if isinstance(value, dict) for name in value}
    return sorted(inner or state)


def done(job):
    if job["library"] == "facebook":
        return {"names": facebook_names(job["path"])}
    expected = load_file(job["expected"])
    runs = {"hugging-face": hugging_face, "timm": timm, "birder": birder, "open-clip": open_clip}
    if job["own"] is None:
        wanted = torch.cat([expected[name] for name in job["output"]], dim=1)
    else:
        wanted = runs[job["own"]["library"]](job["own"]["path"], expected[job["input"]], job)
    if job["isReordered"]:
        wanted = class_first(wanted, job["registers"])
    run = runs[job["library"]]
    found = run(job["path"], expected[job["input"]], job)
    if found.shape != wanted.shape:
        return {"error": f"{list(found.shape)}, and {list(wanted.shape)} is expected"}
    return {"difference": float((found - wanted).abs().max())}


with torch.inference_mode():
    for job in json.loads(Path(sys.argv[1]).read_text()):
        try:
            print("RESULT " + json.dumps(done(job)), flush=True)
        except Exception as error:  # noqa: BLE001
            print("RESULT " + json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
