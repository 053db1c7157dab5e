"""
quantise_openvino.py MODEL PIXELS SIDE OUT makes int8 by NNCF's post-training quantisation for transformers, calibrated on four of the images that
are timed.
"""

import sys

import nncf
import numpy as np
import openvino

model, pixels, side, out = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
IMAGES = 4
images = np.fromfile(pixels, np.float32, IMAGES * 3 * side * side).reshape(IMAGES, 1, 3, side, side)
quantised = nncf.quantize(
    openvino.Core().read_model(model),
    nncf.Dataset(list(images)),
    model_type=nncf.ModelType.TRANSFORMER,
    preset=nncf.QuantizationPreset.MIXED,
    subset_size=IMAGES,
    fast_bias_correction=True,
)
openvino.save_model(quantised, out, compress_to_fp16=False)
