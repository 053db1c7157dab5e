"""Computes what Birder gives of networks that are shown a part of their patches, and of five crops, for networks of the golden cases.

    python test/birder/make-expected.py

It writes expected.safetensors and expected.json beside itself. Pixels are those of the golden cases; where these have one image, a second is its mirror image. Each tensor has a tolerance: sixteen times the float32 noise of PyTorch itself, which is its difference to float64, and at least 1e-6.
"""
import json
from pathlib import Path

import torch
from birder.common import masking
from birder.common.fs_ops import load_model
from birder.inference.classification import infer_batch
from safetensors.torch import load_file, save_file

ROOT = Path('test/golden/families/families')
HERE = Path(__file__).parent
MASKED = [
    'birder/deit3-reg4',
    'birder/vit-hmlp-ln',
    'birder/vit-ap-tanh',
    'birder/simple-vit',
    'birder/vit-parallel-3-avg',
    'birder/flexivit-reg1-rms-ls',
    'birder/rope-xy-rectangle',
    'birder/rope-axial-pn-rms',
    'birder/rope-vit5',
    'birder/naflex-rope-vit',
]
CROPPED = ['birder/deit', 'birder/vit-parallel']
NOISE = [[0.7, 0.1, 0.55, 0.3, 0.9, 0.2, 0.65, 0.05], [0.4, 0.8, 0.15, 0.6, 0.25, 0.95, 0.35, 0.5]]


def listed(value):
    return {'shape': list(value.shape), 'values': [float(f'{number:.9g}') for number in value.flatten().tolist()]}


stored = {}


def tolerances_of(case, run):
    """Runs in float32, which is stored, and in float64, whose difference is the noise."""
    found, exact = run(torch.float32), run(torch.float64)
    out = {}
    for name, value in found.items():
        stored[f'{case["id"]}/{name}'] = value.clone().contiguous()
        noise = (value.double() - exact[name].double()).abs().max().item()
        out[name] = max(1e-6, 16 * noise)
    return out


def known(case):
    return {'path': case['checkpoints'][0]['path'], 'network': case['network'], 'pixels': case['input']}


def opened(case):
    checkpoint = case['checkpoints'][0]['path']
    net, _ = load_model(
        torch.device('cpu'), case['network'], path=str(ROOT / checkpoint), config=case.get('config'),
        st=checkpoint.endswith('.safetensors'), inference=True,
    )  # fmt: skip
    pixels = load_file(ROOT / case['input']['path'])[case['input']['tensor']]
    return net, pixels


def masked(case):
    net, pixels = opened(case)
    pixels = pixels[:2] if len(pixels) > 1 else torch.cat([pixels, pixels.flip(-1)])
    rows, columns = (side // net.patch_size for side in pixels.shape[-2:])
    patches = rows * columns
    # The second image is shown other patches than the first, not in their order.
    ids = torch.tensor([[5, 0, patches - 1, 3], [1, 2, patches - 2, 0]])
    mask = torch.stack([(torch.arange(patches) * 7 % 5 < 2).float(), (torch.arange(patches) * 3 % 4 < 1).float()])
    token = torch.linspace(-1, 1, net.embedding_size).reshape(1, 1, 1, -1)

    def run(dtype):
        network, x = net.to(dtype), pixels.to(dtype)
        with torch.inference_mode():
            kept = network.masked_encoding_omission(x, ids, return_keys='all')
            every = network.masked_encoding_omission(x, ids, return_all_features=True)
            zeroed = network.masked_encoding_retention(x, mask, return_keys='all')
            replaced = network.masked_encoding_retention(x, mask, token.to(dtype), return_keys='features')
        return {
            'omission.tokens': kept['tokens'],
            'omission.embedding': kept['embedding'],
            'omission.features': every['tokens'],
            'retention.features': zeroed['features'],
            'retention.embedding': zeroed['embedding'],
            'retention.token': replaced['features'],
        }

    given = {'ids': listed(ids), 'mask': listed(mask), 'token': listed(token)}
    return {**known(case), **given, 'tolerances': tolerances_of(case, run)}


def cropped(case):
    net, pixels = opened(case)

    def run(dtype):
        network, x = net.to(dtype), pixels.to(dtype)
        with torch.inference_mode():
            return {
                'probabilities': torch.from_numpy(infer_batch(network, x, tta=True)[0]),
                'logits': torch.from_numpy(infer_batch(network, x, tta=True, return_logits=True)[0]),
            }

    return {**known(case), 'tolerances': tolerances_of(case, run)}


def masks():
    out = []
    for settings in [{}, {'kept_mask_ratio': 0.25}, {'min_mask_size': 2}]:
        noise = torch.tensor(NOISE)
        torch.rand = lambda *_size, noise=noise, **_options: noise
        coarse = settings.get('min_mask_size', 1)
        mask, keep, restore = masking.uniform_mask(2, 2 * coarse, 4 * coarse, 0.6, **settings)
        out.append({**settings, 'mask': listed(mask), 'keep': listed(keep), 'restore': listed(restore)})
    ids = masking.get_ids_keep(torch.tensor([[0.0, 1, 0, 1, 0], [1.0, 0, 0, 0, 1]]))
    return {'noise': NOISE, 'uniform': out, 'ids': listed(ids)}


cases = {case['id']: case for case in json.loads((ROOT / 'index.json').read_text())['cases']}
result = {
    'masked': {name: masked(cases[name]) for name in MASKED},
    'cropped': {name: cropped(cases[name]) for name in CROPPED},
    'masks': masks(),
}
(HERE / 'expected.json').write_text(json.dumps(result, indent=1) + '\n')
save_file(stored, HERE / 'expected.safetensors')
