"""
Embeds a folder as somebody does by hand: a PyTorch DataLoader whose two workers decode by Pillow and transform as Birder does, and Birder's network on
batches. Arguments: the model's file, the network, the side, and a text file with the photos' paths.
"""

import sys

import torch
from birder.common import fs_ops
from birder.data.transforms.classification import inference_preset
from PIL import Image
from torch.utils.data import DataLoader, Dataset

WORKERS = 2
BATCH = 32

model, network, side, photos = sys.argv[1:]


class Photos(Dataset):
    def __init__(self, paths, transform):
        self.paths = paths
        self.transform = transform

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        with Image.open(self.paths[index]) as photo:
            return self.transform(photo.convert("RGB"))


def main():
    size = (int(side), int(side))
    net, (_, _, rgb_stats, *_) = fs_ops.load_model(
        torch.device("cpu"), network, path=model, new_size=size, inference=True, st=True
    )
    with open(photos, encoding="utf-8") as file:
        paths = file.read().splitlines()
    loader = DataLoader(Photos(paths, inference_preset(size, rgb_stats)), batch_size=BATCH, num_workers=WORKERS)
    with torch.inference_mode():
        embeddings = torch.cat([net.embedding(batch) for batch in loader])
    assert embeddings.shape[0] == len(paths) and bool(torch.isfinite(embeddings).all())


main()
