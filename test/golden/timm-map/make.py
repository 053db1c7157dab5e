"""Makes the network of this folder and its answers with timm 1.0.31: AIMv2's blocks, which have RMS norms, behind timm's pooling by attention, whose norm is of the same kind.

python make.py
"""

import json

import timm
import torch
from safetensors.torch import save_file

sizes = dict(img_size=[16, 16], patch_size=4, embed_dim=16, depth=2, num_heads=2, mlp_ratio=2)
args = dict(sizes, global_pool="map", num_classes=0)
network = timm.create_model("aimv2_large_patch14_224", **args).eval()
generator = torch.Generator().manual_seed(5)
for parameter in network.parameters():
    parameter.data = torch.randn(parameter.shape, generator=generator) * 0.3
pixels = torch.randn(2, 3, 16, 16, generator=generator)
with torch.no_grad():
    expected = {"pixels": pixels, "embedding": network(pixels)}

save_file(network.state_dict(), "model.safetensors")
save_file(expected, "expected.safetensors")
told = dict(
    architecture="aimv2_large_patch14_224",
    num_classes=0,
    num_features=16,
    global_pool="map",
    model_args=args,
    pretrained_cfg=dict(
        input_size=[3, 16, 16],
        fixed_input_size=True,
        interpolation="bicubic",
        crop_pct=1.0,
        crop_mode="center",
        mean=[0.5] * 3,
        std=[0.5] * 3,
        num_classes=0,
        first_conv="patch_embed.proj",
        classifier="head",
    ),
)
with open("config.json", "w") as file:
    json.dump(told, file, indent=2)
    file.write("\n")
