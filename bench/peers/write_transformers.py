"""write_transformers.py NETWORK SIDE OUT writes a folder as transformers saves a network: model.safetensors and config.json, with random weights."""

import os
import sys

from transformers_net import random_network

network, side, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
random_network(network, side).save_pretrained(f"{out}.new")
os.rename(f"{out}.new", out)
