"""Builds networks of transformers, with numbers that are made up or with those of a file that `save_pretrained` wrote."""

import os

import torch
from transformers import DINOv3ViTConfig, DINOv3ViTModel, SiglipVisionConfig, SiglipVisionModel

# The sizes are those of facebook/dinov3-vits16-pretrain-lvd1689m and of the image tower of google/siglip2-base-patch16-224, but for the side of an image.
NETWORKS = {
    "dinov3-s16": (DINOv3ViTModel, DINOv3ViTConfig, {"num_register_tokens": 4}),
    "siglip2-b16": (SiglipVisionModel, SiglipVisionConfig, {}),
}


def random_network(network, side):
    """Leaves no weight at what a constructor gives it, which would hide what is computed of it."""
    model, config, settings = NETWORKS[network]
    net = model(config(image_size=side, **settings))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() > 1:
                parameter.copy_(noise / parameter[0].numel() ** 0.5)
            else:
                parameter.copy_(0.1 * noise + (0 if name.endswith("bias") else 0.5))
    return net


class Features(torch.nn.Module):
    """Takes pixels [B, 3, side, side] to all tokens after the final norm [B, T, D] and the embedding [B, D]."""

    def __init__(self, network, path):
        super().__init__()
        model, _, _ = NETWORKS[network]
        self.net = model.from_pretrained(os.path.dirname(path), attn_implementation="sdpa")
        self.eval()

    def forward(self, x):
        found = self.net(x)
        return found.last_hidden_state, found.pooler_output
