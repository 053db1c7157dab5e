"""Computes vectors of one photo with Birder, torch, torchvision and Pillow as other programs do, each with one or two of their usual mistakes.

    python test/explain/make-vectors.py <photo.png> > test/explain/vectors.json
"""
import json
import sys

import numpy as np
import torch
import torch.nn.functional as F
from birder.model_registry import registry
from PIL import Image
from safetensors import safe_open
from torchvision.transforms import v2

WEIGHTS = 'models/mini/deit3_reg4_t14_tiny-imagenet.safetensors'
SIZE = 112
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
HALF = ([0.5] * 3, [0.5] * 3)
CLIP = ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])
NONE = ([0.0] * 3, [1.0] * 3)


def build():
    with safe_open(WEIGHTS, 'pt') as file:
        state = {key: file.get_tensor(key).float() for key in file.keys()}
        meta = file.metadata()
    rgb = json.loads(meta['rgb_stats'])
    size = json.loads(meta['signature'])['inputs'][0]['data_shape'][2]
    classes = state['classifier.weight'].shape[0]
    net = registry.net_factory('deit3_reg4_t14', classes, size=(size, size))
    net.load_state_dict(state)
    return net.eval(), (rgb['mean'], rgb['std']), size


def pixels(image, stats, side, *, mode='squash', fraction=1.0, filter=Image.Resampling.BICUBIC, bgr=False, raw=False):
    if mode == 'squash':
        small = image.resize((side, side), filter)
    else:
        short = int(side / fraction)
        width, height = image.size
        scale = (short, int(short * height / width)) if width < height else (int(short * width / height), short)
        small = image.resize(scale, filter)
        small = v2.functional.center_crop(small, [side, side])
    levels = np.asarray(small).astype(np.float32)
    if bgr:
        levels = levels[:, :, ::-1].copy()
    x = torch.from_numpy(levels).permute(2, 0, 1)
    if not raw:
        x = x / 255
    mean, std = (torch.tensor(part).view(3, 1, 1) for part in stats)
    return ((x - mean) / std).unsqueeze(0)


class Tokens:
    """Hands out what a network has inside; Birder's order is registers, class token, patches."""

    def __init__(self, net, x):
        self.registers = net.num_reg_tokens
        captured = {}
        handle = net.norm.register_forward_pre_hook(lambda _module, args: captured.update(x=args[0]))
        self.after = net.forward_features(x)[0]
        handle.remove()
        self.before = captured['x'][0]
        self.logits = net(x)[0]

    def token(self, which='after'):
        return getattr(self, which)[self.registers]

    def patches(self, which='after'):
        return getattr(self, which)[self.registers + 1 :]


def with_activation(net, module):
    for block in net.encoder.block:
        for index, layer in enumerate(block.mlp):
            if isinstance(layer, torch.nn.GELU):
                block.mlp[index] = module
    return net


class QuickGelu(torch.nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


def with_epsilon(net, epsilon):
    for module in net.modules():
        if isinstance(module, torch.nn.LayerNorm):
            module.eps = epsilon
    return net


def main():
    image = Image.open(sys.argv[1]).convert('RGB')
    _, own, side = build()
    vectors = []

    def add(name, settings, vector):
        vectors.append({'name': name, 'settings': settings, 'vector': [float(v) for v in vector.detach().float()]})

    def run(net=None, **how):
        net = build()[0] if net is None else net
        stats = how.pop('stats', own)
        size = how.pop('size', side)
        return Tokens(net, pixels(image, stats, size, **how))

    def resized(size, dynamic):
        net = build()[0]
        if dynamic:
            net.set_dynamic_size()
        else:
            net.adjust_size((size, size))
        return net

    with torch.inference_mode():
        add('as here', [], run().token())
        add('mean of the patches', [], run().patches().mean(0))
        add('class token before the norm', [], run().token('before'))
        add('logits', [], run().logits)
        add('mean of all tokens', [], run().after.mean(0))
        plain = run()
        add('class token and mean side by side', [], torch.cat([plain.token(), plain.patches().mean(0)]))
        add('largest of the patches', [], plain.patches().amax(0))
        add('of length 1', [], F.normalize(plain.token(), dim=0))
        add('cropped', ['crop'], run(mode='crop', fraction=0.875).token())
        add('short side and crop', ['crop'], run(mode='crop').token())
        add('BGR', ['channels'], run(bgr=True).token())
        add('levels from 0 to 1', ['levels'], run(stats=NONE).token())
        add('levels from 0 to 255', ['levels'], run(stats=NONE, raw=True).token())
        other = HALF if own[0] != HALF[0] else IMAGENET
        add('levels of another family', ['levels'], run(stats=other).token())
        add('levels of CLIP', ['levels'], run(stats=CLIP).token())
        add('bilinear', ['filter'], run(filter=Image.Resampling.BILINEAR).token())
        add('lanczos', ['filter'], run(filter=Image.Resampling.LANCZOS).token())
        add('quick GELU', ['activation'], run(with_activation(build()[0], QuickGelu())).token())
        add('tanh GELU', ['activation'], run(with_activation(build()[0], torch.nn.GELU(approximate='tanh'))).token())
        add('epsilon', ['epsilon'], run(with_epsilon(build()[0], 1e-5)).token())
        add('another size', ['size'], run(resized(2 * side, False), size=2 * side).token())
        add('another size and rule', ['positions', 'size'], run(resized(2 * side, True), size=2 * side).token())
        add('cropped and BGR', ['channels', 'crop'], run(mode='crop', fraction=0.875, bgr=True).token())
        add('cropped, mean, levels', ['crop', 'levels'], run(mode='crop', fraction=0.9, stats=CLIP).patches().mean(0))
    json.dump({'photo': 'photo.png', 'vectors': vectors}, sys.stdout)


main()
