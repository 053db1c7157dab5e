"""Writes expected.json: what PyTorch makes of small pictures, in float64. Made with torch 2.15.0:

    python make-expected.py > expected.json
"""

import json

import torch
import torch.nn.functional as F


def numbers(*shape):
    """Multiples of 1/8 from -2 to 2, in an order that repeats late, so that float32 holds them."""
    count = 1
    for side in shape:
        count *= side
    return (torch.tensor([(i * 37 + 11) % 33 - 16 for i in range(count)], dtype=torch.float64) / 8).reshape(shape)


def listed(tensor):
    return [round(value, 9) for value in tensor.flatten().tolist()]


def rows(picture):
    """[1, C, h, w] as [h * w, C]."""
    return listed(picture[0].permute(1, 2, 0))


def convolution(height, width, channels, columns, kernel, stride, padding, bias):
    x = numbers(1, channels, height, width)
    weight = numbers(columns, channels, kernel, kernel)
    b = numbers(columns) if bias else None
    y = F.conv2d(x, weight, b, stride=stride, padding=padding)
    return dict(height=height, width=width, channels=channels, kernel=kernel, stride=stride, padding=padding, bias=bias, size=list(y.shape[2:]), columns=columns, y=rows(y))


def transposed(height, width, channels, columns, kernel, stride, padding, output_padding, bias):
    x = numbers(1, channels, height, width)
    weight = numbers(channels, columns, kernel, kernel)
    b = numbers(columns) if bias else None
    y = F.conv_transpose2d(x, weight, b, stride=stride, padding=padding, output_padding=output_padding)
    return dict(height=height, width=width, channels=channels, kernel=kernel, stride=stride, padding=padding, bias=bias, size=list(y.shape[2:]), columns=columns, y=rows(y))


def resized(height, width, mode, corners, size=None, factor=None):
    x = numbers(1, 2, height, width)
    y = F.interpolate(x, size=size, scale_factor=factor, mode=mode, align_corners=corners)
    return dict(height=height, width=width, mode=mode, corners=corners, factor=factor, size=list(y.shape[2:]), y=rows(y))


def rows_of_ids(ids, eos):
    ids = torch.tensor(ids)
    return dict(ids=ids.tolist(), id=eos, largest=ids.argmax(dim=-1).tolist(), first=(ids == eos).int().argmax(dim=-1).tolist())


def cases(make, *lists):
    return [make(*one) if isinstance(one, tuple) else make(**one) for one in lists]


print(
    json.dumps(
        dict(
            conv2d=cases(
                convolution,
                (4, 5, 3, 2, 1, 1, 0, True),
                (4, 5, 3, 2, 3, 1, 1, True),
                (5, 4, 2, 3, 3, 2, 1, False),
                (5, 7, 2, 2, 2, 2, 0, True),
                (8, 9, 1, 2, 4, 4, 0, False),
                (4, 4, 2, 1, 3, 1, 2, True),
                (6, 5, 1, 1, 4, 2, 1, False),
            ),
            transposedConv2d=cases(
                transposed,
                (2, 3, 3, 2, 2, 2, 0, 0, True),
                (2, 2, 2, 1, 4, 4, 0, 0, False),
                (3, 2, 2, 2, 3, 2, 1, 1, True),
                (3, 2, 2, 2, 3, 2, 1, 0, True),
                (3, 3, 1, 2, 4, 2, 1, 0, False),
                (2, 3, 2, 2, 3, 1, 0, 0, False),
            ),
            resize=cases(
                resized,
                dict(height=3, width=4, mode="bilinear", corners=False, size=[7, 9]),
                dict(height=3, width=4, mode="bilinear", corners=True, size=[6, 8]),
                dict(height=7, width=5, mode="bilinear", corners=False, size=[3, 4]),
                dict(height=7, width=5, mode="bilinear", corners=True, size=[1, 4]),
                dict(height=3, width=4, mode="bilinear", corners=False, factor=2.6),
                dict(height=5, width=6, mode="bilinear", corners=False, factor=0.7),
                dict(height=3, width=4, mode="bicubic", corners=False, size=[5, 9]),
                dict(height=3, width=4, mode="bicubic", corners=True, size=[5, 9]),
                dict(height=7, width=5, mode="bicubic", corners=False, size=[3, 4]),
                dict(height=3, width=4, mode="bicubic", corners=False, factor=2.6),
                dict(height=5, width=6, mode="bicubic", corners=True, factor=1.7),
            ),
            takeRow=rows_of_ids([[3, 9, 2, 9, 0], [7, 1, 1, 1, 1], [4, 5, 6, 7, 8], [0, 0, 0, 0, 0]], 1),
        ),
        separators=(",", ":"),
    )
)
