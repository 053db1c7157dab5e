"""convert_openvino.py NETWORK SIDE WEIGHTS OUT writes OpenVINO's float32 model of a network, for any batch."""

import sys

import openvino
import torch
from networks import features

network, side, weights, out = sys.argv[1], int(sys.argv[2]), *sys.argv[3:]
with torch.no_grad():
    example = torch.zeros(1, 3, side, side)
    model = openvino.convert_model(
        features(network, side, weights), example_input=example, input=[-1, 3, side, side]
    )
openvino.save_model(model, out, compress_to_fp16=False)
