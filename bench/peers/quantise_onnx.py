"""
quantise_onnx.py MODEL OUT makes int8 as transformers.js and others ship it, by ONNX Runtime's dynamic quantisation: weights are signed and scaled per
channel, activations at run time.
"""

import sys

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

model, out = sys.argv[1:]
quantize_dynamic(
    model,
    out,
    weight_type=QuantType.QInt8,
    per_channel=True,
    reduce_range=False,
    op_types_to_quantize=["MatMul"],
    # Shape inference does not know the fused steps.
    extra_options={"MatMulConstBOnly": True, "DefaultTensorType": onnx.TensorProto.FLOAT},
)
