"""Makes the pictures here, and in expected.json what transformers to 5.20 and from 5.21 on makes of each (image_transforms.py, convert_to_rgb).

pip install pillow==13.0.0 numpy; python gen.py
"""
import json
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

here = Path(__file__).parent


def to_5_20(image):
    return image if image.mode == "RGB" else image.convert("RGB")


def from_5_21(image):
    if "A" in image.getbands() or image.info.get("transparency") is not None:
        image = image.convert("RGBA")
        background = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(background, image).convert("RGB")
    return image.convert("RGB")


def png(name, width, height, depth, kind, rows, **chunks):
    def chunk(label, data):
        return struct.pack(">I", len(data)) + label + data + struct.pack(">I", zlib.crc32(label + data))

    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    body = b"".join(chunk(label.encode(), data) for label, data in chunks.items())
    raw = b"".join(b"\0" + row for row in rows)
    (here / name).write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    )


rng = np.random.default_rng(7)
rgba = rng.integers(0, 256, (9, 8, 4), dtype=np.uint8)
rgba[0, :, 3] = 0
rgba[1, :, 3] = 255
la = rgba[..., [0, 3]]
Image.fromarray(rgba).save(here / "rgba.png")
Image.fromarray(la, "LA").save(here / "grey-alpha.png")
Image.fromarray(rgba).save(here / "rgba.webp", lossless=True, exact=True)
Image.fromarray(rgba).save(here / "rgba.tiff")
Image.fromarray(la, "LA").save(here / "grey-alpha.tiff")
gif = Image.fromarray(rng.integers(0, 4, (9, 8), dtype=np.uint8), "P")
gif.putpalette([10, 20, 30, 200, 100, 50, 7, 8, 9, 90, 90, 90])
gif.save(here / "palette.gif", transparency=1)
gif.save(here / "palette-one.png", transparency=1)
gif.save(here / "palette-many.png", transparency=bytes([0, 128, 255, 3]))
words = rng.integers(0, 256, (9, 64), dtype=np.uint8)
png("rgba-16-bits.png", 8, 9, 16, 6, [row.tobytes() for row in words])
png("grey-alpha-16-bits.png", 8, 9, 16, 4, [row.tobytes() for row in words[:, :32]])
png("grey-colour.png", 3, 1, 8, 0, [b"\x02\x30\xff"], tRNS=b"\0\x02")
png("grey-2-bits-colour.png", 4, 1, 2, 0, [b"\x1b"], tRNS=b"\0\x55")
png("grey-1-bit-colour.png", 4, 1, 1, 0, [b"\x50"], tRNS=b"\0\0")
png("grey-16-bits-colour.png", 3, 1, 16, 0, [b"\0\x07\x12\x34\0\x09"], tRNS=b"\0\x07")
png("rgb-colour.png", 2, 1, 8, 2, [b"\x01\x02\x03\x28\x32\x3c"], tRNS=b"\0\x28\0\x32\0\x3c")
png("rgb-16-bits-colour.png", 2, 1, 16, 2, [b"\x01\x02\x03\x04\x05\x06\x28\x01\x32\x02\x3c\x03"], tRNS=b"\0\x28\0\x32\0\x3c")
png("rgb-opaque.png", 2, 1, 8, 2, [b"\x01\x02\x03\x28\x32\x3c"])

expected = {}
for path in sorted(here.glob("*.*")):
    if path.suffix in (".png", ".webp", ".tiff", ".gif"):
        levels = [np.array(make(Image.open(path))).reshape(-1).tobytes().hex() for make in (to_5_20, from_5_21)]
        expected[path.name] = dict(zip(("drop", "white"), levels))
(here / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
