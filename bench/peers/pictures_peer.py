"""Makes a picture of each photo as people do it in Python: transformers for tokens or attention, scikit-learn for components, Pillow for files.

    python pictures_peer.py MODEL_FOLDER pca|attention SIDE float32|bfloat16 LIST OUTPUT_FOLDER
"""
import os
import sys

import numpy as np
import torch
from PIL import Image
from transformers import AutoModel

folder, kind, side, precision, listed, output = sys.argv[1:]
side = int(side)
MEAN, STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
torch.set_num_threads(len(os.sched_getaffinity(0)))
# Only the plain loops hand attention out; PyTorch's fused one keeps it to itself.
kept = {"attn_implementation": "eager"} if kind == "attention" else {}
model = AutoModel.from_pretrained(folder, dtype=getattr(torch, precision), **kept).eval()
special = 1 + model.config.num_register_tokens
grid = side // model.config.patch_size
paths = open(listed, encoding="utf-8").read().split("\n")


def pixels_of(photo):
    values = np.asarray(photo.resize((side, side), Image.BICUBIC), np.float32) / 255
    return torch.from_numpy(((values - MEAN) / STD).transpose(2, 0, 1)[None]).to(model.dtype)


@torch.inference_mode()
def found_in(photo):
    if kind == "pca":
        return model(pixels_of(photo)).last_hidden_state[0, special:].float().numpy()
    rows = model(pixels_of(photo), output_attentions=True).attentions[-1]
    return rows[0, :, 0, special:].float().mean(0).numpy()


def save(levels, size, path):
    shape = (grid, grid, 3) if kind == "pca" else (grid, grid)
    picture = Image.fromarray(levels.reshape(shape)).resize(size, Image.BICUBIC)
    picture.save(os.path.join(output, os.path.basename(path).rsplit(".", 1)[0] + ".png"))


sizes, values = [], []
for path in paths:
    photo = Image.open(path).convert("RGB")
    sizes.append(photo.size)
    values.append(found_in(photo))
if kind == "pca":
    from sklearn.decomposition import PCA

    parts = PCA(3).fit_transform(np.concatenate(values))
    low, high = np.percentile(parts, 1, axis=0), np.percentile(parts, 99, axis=0)
    levels = (255 * np.clip((parts - low) / (high - low), 0, 1)).astype(np.uint8)
    values = np.split(levels, len(paths))
else:
    values = [(255 * (of - of.min()) / (np.ptp(of) + 1e-7)).astype(np.uint8) for of in values]
for path, size, of in zip(paths, sizes, values):
    save(of, size, path)
