"""Builds Birder's own network with the benchmark's weights."""

import logging

import torch
from birder.model_registry import registry
from safetensors.torch import load_file

logging.disable(logging.INFO)


class Features(torch.nn.Module):
    """Takes pixels [B, 3, side, side] to all tokens after the final norm [B, T, D] and the embedding [B, D]."""

    def __init__(self, network, side, path):
        super().__init__()
        self.net = registry.net_factory(network, 0, size=(side, side))
        self.net.load_state_dict(load_file(path))
        self.eval()

    def forward(self, x):
        tokens = self.net.forward_features(x)
        return tokens, self.net.embedding_from_features(tokens)
