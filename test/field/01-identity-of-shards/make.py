"""
Makes two DINOv2 of one architecture, each in shards as transformers saves them, so that their indexes are equal; and photos of 40 x 48 pixels.
`python make.py` (needs torch, transformers, numpy and pillow).
"""
import numpy as np
import torch
import transformers as T
from PIL import Image

for name, seed in (('model-a', 1), ('model-b', 2)):
    torch.manual_seed(seed)
    model = T.Dinov2Model(T.Dinov2Config(hidden_size=64, num_hidden_layers=1, num_attention_heads=2, mlp_ratio=2, image_size=28, patch_size=14))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    model.eval().save_pretrained(name, max_shard_size='60KB')
    T.BitImageProcessor(size={'shortest_edge': 32}, crop_size={'height': 28, 'width': 28},
                        image_mean=[.485, .456, .406], image_std=[.229, .224, .225]).save_pretrained(name)
for number in (1, 2, 3):
    pixels = np.random.default_rng(number).integers(0, 256, (40, 48, 3), np.uint8)
    Image.fromarray(pixels).save(f'photos/{number}.png')
