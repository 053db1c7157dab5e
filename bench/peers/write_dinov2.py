"""Writes ViT-S/14 with four registers and made weights as transformers saves it: python write_dinov2.py FOLDER"""
import sys

import torch
from transformers import BitImageProcessor, Dinov2WithRegistersConfig, Dinov2WithRegistersModel

torch.manual_seed(0)
config = Dinov2WithRegistersConfig(
    hidden_size=384, num_attention_heads=6, image_size=518, patch_size=14, num_register_tokens=4
)
Dinov2WithRegistersModel(config).save_pretrained(sys.argv[1])
BitImageProcessor().save_pretrained(sys.argv[1])
