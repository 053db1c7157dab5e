"""
export_onnx.py NETWORK SIDE WEIGHTS OUT writes a network of transformers for ONNX Runtime, for any batch: PyTorch's exporter, then ONNX Runtime's own
transformer optimiser. That optimiser fuses norms and GELU and finds no attention in such graphs, so that each block's is exported as ONNX Runtime's fused one.
"""

import sys

import torch
from onnxruntime.transformers import optimizer
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers_net import Features

network, side, weights, out = sys.argv[1], int(sys.argv[2]), *sys.argv[3:]


def fused_attention(_module, query, key, value, _mask, scaling, **_options):
    """Takes [B, H, T, D / H] three times; gives [B, T, H, D / H]."""
    batch, heads, tokens, width = query.shape
    rows = [x.transpose(1, 2).reshape(batch, tokens, heads * width) for x in (query, key, value)]
    attended = torch.onnx.ops.symbolic(
        "com.microsoft::MultiHeadAttention",
        rows,
        {"num_heads": heads, "scale": scaling},
        dtype=query.dtype,
        shape=rows[0].shape,
        version=1,
    )
    return attended.reshape(batch, tokens, heads, width), None


class EmbeddingFirst(torch.nn.Module):
    """Gives the outputs in the order in which they are read."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        tokens, embedding = self.inner(x)
        return embedding, tokens


ALL_ATTENTION_FUNCTIONS.register("fused", fused_attention)
features = Features(network, weights)
features.net.set_attn_implementation("fused")
with torch.no_grad():
    program = torch.onnx.export(
        EmbeddingFirst(features),
        # An example of one image would be taken for a network that takes one.
        (torch.zeros(2, 3, side, side),),
        dynamo=True,
        input_names=["pixels"],
        # The exporter calls a value inside the network `embedding`.
        output_names=["image", "tokens"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        opset_version=18,
    )
program.save(f"{out}.exported", external_data=True)
config = features.net.config
model = optimizer.optimize_model(
    f"{out}.exported", model_type="vit", num_heads=config.num_attention_heads, hidden_size=config.hidden_size
)
model.save_model_to_file(out, use_external_data_format=True)
