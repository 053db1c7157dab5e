"""Computes vectors of one photo with timm and transformers, from what `plumage convert` writes of the model here, with the usual mistakes of their users.

    npx plumage convert models/mini/deit3_reg4_t14_tiny-imagenet.safetensors for-timm --to timm
    npx plumage convert models/mini/deit3_reg4_t14_tiny-imagenet.safetensors for-transformers --to hugging-face
    python test/explain/make-vectors-of-libraries.py <photo.png> for-timm for-transformers > test/explain/vectors-of-libraries.json
"""
import json
import sys

import numpy as np
import timm
import torch
from PIL import Image
from timm.data import create_transform, resolve_model_data_config
from transformers import AutoConfig, AutoImageProcessor, AutoModel

PHOTO, TIMM, TRANSFORMERS = sys.argv[1:]
VECTORS = []


def add(name, settings, vector):
    values = [float(v) for v in vector.detach().float()]
    VECTORS.append({'name': name, 'settings': settings, 'vector': values})


def of_timm(image):
    def build(**changes):
        return timm.create_model(f'local-dir:{TIMM}', pretrained=True, **changes).eval()

    def pixels(net, **changes):
        config = {**resolve_model_data_config(net), **changes}
        return create_transform(**config, is_training=False)(image).unsqueeze(0)

    net = build()
    whole = pixels(net, crop_pct=1.0, crop_mode='squash')
    add("timm's embedding", [], net.forward_head(net.forward_features(whole), pre_logits=True)[0])
    for title, mode in (("timm's own transform", 'center'), ('squashed and cropped, as for DeiT', 'squash')):
        cropped = pixels(net, crop_pct=0.875, crop_mode=mode)
        add(title, ['crop'], net.forward_head(net.forward_features(cropped), pre_logits=True)[0])
    add("timm's mean pooling", [], build(global_pool='avg', fc_norm=False, num_classes=0)(whole)[0])
    add("timm's logits", [], net(whole)[0])
    add('all tokens of forward_features averaged', [], net.forward_features(whole)[0].mean(0))
    side = 2 * net.patch_embed.img_size[0]
    large = build(dynamic_img_size=True)
    bigger = pixels(large, input_size=(3, side, side), crop_pct=1.0, crop_mode='squash')
    add("timm's dynamic size", ['size'], large.forward_head(large.forward_features(bigger), pre_logits=True)[0])


def of_transformers(image):
    config = AutoConfig.from_pretrained(TRANSFORMERS)
    side = config.image_size

    def build(**changes):
        # The weights here are stored in halves, which transformers would compute in.
        return AutoModel.from_pretrained(TRANSFORMERS, dtype=torch.float32, **changes).eval()

    def pixels(**changes):
        # 3 is Pillow's number of bicubic.
        how = {'size': {'height': side, 'width': side}, 'do_center_crop': False, 'resample': 3, **changes}
        processor = AutoImageProcessor.from_pretrained(TRANSFORMERS, backend='pil')
        return processor(images=image, return_tensors='pt', **how)['pixel_values']

    net = build()
    add('pooler_output of transformers', [], net(pixels()).pooler_output[0])
    add('last_hidden_state averaged', [], net(pixels()).last_hidden_state[0].mean(0))
    cropped = pixels(size={'shortest_edge': round(side * 8 / 7)}, do_center_crop=True, crop_size={'height': side, 'width': side})
    add('pooler_output of a crop', ['crop'], net(cropped).pooler_output[0])
    add('quick GELU in the config', ['activation'], build(hidden_act='quick_gelu')(pixels()).pooler_output[0])
    bgr = Image.fromarray(np.asarray(image)[:, :, ::-1].copy())
    processor = AutoImageProcessor.from_pretrained(TRANSFORMERS, backend='pil')
    how = {'size': {'height': side, 'width': side}, 'do_center_crop': False, 'resample': 3}
    add('a picture of OpenCV', ['channels'], net(processor(images=bgr, return_tensors='pt', **how)['pixel_values']).pooler_output[0])
    raw = processor(images=image, return_tensors='pt', do_normalize=False, **how)['pixel_values']
    add('do_normalize false', ['levels'], net(raw).pooler_output[0])


def main():
    image = Image.open(PHOTO).convert('RGB')
    with torch.inference_mode():
        of_timm(image)
        of_transformers(image)
    json.dump({'photo': 'photo.png', 'vectors': VECTORS}, sys.stdout)


main()
