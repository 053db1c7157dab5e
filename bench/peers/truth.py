"""truth.py NETWORK SIDE WEIGHTS PIXELS IMAGES prints the embeddings in float64, as one line of JSON."""

import json
import sys

import numpy as np
import torch
from networks import features

network, side, weights, pixels, images = sys.argv[1], int(sys.argv[2]), *sys.argv[3:5], int(sys.argv[5])
net = features(network, side, weights).double()
x = np.fromfile(pixels, np.float32, images * 3 * side * side).reshape(images, 1, 3, side, side)
with torch.inference_mode():
    embeddings = [net(torch.from_numpy(image).double())[1][0].tolist() for image in x]
print(json.dumps({"source": f"PyTorch {torch.__version__.split('+')[0]} in float64", "embeddings": embeddings}))
