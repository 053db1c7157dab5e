"""
Makes a small BMP of each kind, and of what is wrong with one, and what Pillow 13 makes of it: `python make.py > kinds.expected.json` (needs pillow 13).
`rgb` begins the SHA-256 of the bytes of `convert('RGB')`, `white` that of the image laid on white by its alpha; both are null where Pillow refuses.
"""
import base64, hashlib, io, json, random, struct, warnings

from PIL import Image

warnings.simplefilter('ignore')
random.seed(7)
W, H = 9, 5
GREYS = [(i, i, i) for i in range(256)]


def noise(count): return random.randbytes(count)


def colours(count): return [tuple(noise(3)) for _ in range(count)]


def bmp(bits, *, header=40, compression=0, masks=(), palette=(), count=None, data=None, width=W, height=H, offset=None, reserved=0, gap=b''):
    step = (width * bits + 31) // 32 * 4
    pixels = noise(step * abs(height)) if data is None else data
    if header == 12:
        table = b''.join(bytes((b, g, r)) for r, g, b in palette)
        second = struct.pack('<IHHHH', 12, width, height, 1, bits)
    else:
        table = b''.join(bytes((b, g, r, 0)) for r, g, b in palette)
        second = struct.pack('<IiiHHIIiiII', 40, width, height, 1, bits, compression, len(pixels), 2835, 2835, len(palette) if count is None else count, 0)
        second = struct.pack('<I', header) + second[4:]
        packed = b''.join(struct.pack('<I', m) for m in masks)
        second += packed if header == 40 else packed.ljust(header - 40, b'\0')
    start = 14 + len(second) + len(table) + len(gap)
    return b'BM' + struct.pack('<III', start + len(pixels), reserved, start if offset is None else offset) + second + table + gap + pixels


def rle(rows): return b''.join(rows) + b'\0\1'


KINDS = {
    '1 bit': bmp(1, palette=colours(2)),
    '1 bit black and white': bmp(1, palette=[(0, 0, 0), (255, 255, 255)]),
    '1 bit white and black': bmp(1, palette=[(255, 255, 255), (0, 0, 0)]),
    '1 bit wide': bmp(1, palette=colours(2), width=67, height=3),
    '4 bits': bmp(4, palette=colours(16)),
    '4 bits, few colours': bmp(4, palette=colours(5)),
    '4 bits, greys in their order': bmp(4, palette=GREYS[:16]),
    '4 bits, black and white': bmp(4, palette=[(0, 0, 0), (255, 255, 255)]),
    '8 bits': bmp(8, palette=colours(256)),
    '8 bits, few colours': bmp(8, palette=colours(40)),
    '8 bits, no count': bmp(8, palette=colours(256), count=0),
    '8 bits of grey': bmp(8, palette=GREYS),
    '8 bits, some greys': bmp(8, palette=GREYS[:100]),
    '8 bits, black and white': bmp(8, palette=[(0, 0, 0), (255, 255, 255)]),
    '8 bits, one black': bmp(8, palette=[(0, 0, 0)]),
    '8 bits, greys backwards': bmp(8, palette=GREYS[::-1]),
    '8 bits, upper row first': bmp(8, palette=colours(256), height=-H),
    '8 bits, palette not counted': bmp(8, palette=colours(256), offset=54),
    '8 bits, no offset': bmp(8, palette=colours(256), offset=0),
    '8 bits, too many colours': bmp(8, palette=colours(300)),
    '8 bits, gap': bmp(8, palette=colours(256), gap=b'12345'),
    '16 bits': bmp(16),
    '16 bits, upper row first': bmp(16, height=-H),
    '16 bits, 565': bmp(16, compression=3, masks=(0xF800, 0x7E0, 0x1F)),
    '16 bits, 555 by masks': bmp(16, compression=3, masks=(0x7C00, 0x3E0, 0x1F)),
    '16 bits, 444': bmp(16, compression=3, masks=(0xF00, 0xF0, 0xF)),
    '24 bits': bmp(24),
    '24 bits, upper row first': bmp(24, height=-H),
    '24 bits, no offset': bmp(24, offset=0),
    '24 bits, masks': bmp(24, compression=3, masks=(0xFF0000, 0xFF00, 0xFF)),
    '24 bits, palette that nobody needs': bmp(24, palette=colours(3)),
    '24 bits, reserved': bmp(24, reserved=0x12345678),
    '32 bits': bmp(32),
    '32 bits, masks, no offset': bmp(32, compression=3, masks=(0xFF0000, 0xFF00, 0xFF), offset=0),
    '32 bits, other masks': bmp(32, compression=3, masks=(0x3FF00000, 0xFFC00, 0x3FF)),
    '24 bits, OS/2': bmp(24, header=12),
    '1 bit, OS/2': bmp(1, header=12, palette=colours(2)),
    '4 bits, OS/2': bmp(4, header=12, palette=colours(16)),
    '8 bits, OS/2': bmp(8, header=12, palette=colours(256)),
    '8 bits, header of 64': bmp(8, header=64, palette=colours(256)),
    '24 bits, header of 108': bmp(24, header=108),
    '24 bits, header of 124': bmp(24, header=124),
    '24 bits, header of 41': bmp(24, header=41),
    '2 bits': bmp(2, palette=colours(4)),
    'JPEG': bmp(0, compression=4, data=noise(99)),
    'masks with alpha': bmp(32, compression=6, masks=(0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
    'nothing': bmp(24, width=0),
    'cut off': bmp(24)[:-7],
    'cut off within the padding': bmp(24)[:-1],
    'cut off in the palette': bmp(8, palette=colours(256))[:500],
    'cut off in the header': bmp(24)[:30],
    'runs of 8': bmp(8, compression=1, palette=colours(256), data=rle([b'\x05\x11\x04\x22\0\0', b'\0\x09abcdefghi\0\0\0', b'\x03\x05\0\2\x02\x01', b'\x04\x07\0\0', b'\x09\x01\0\0'])),
    'runs of 8, greys': bmp(8, compression=1, palette=GREYS, data=rle([b'\x09\x80\0\0'] * 5)),
    'runs of 8, black and white': bmp(8, compression=1, palette=[(0, 0, 0), (255, 255, 255)], data=rle([b'\x05\x01\x04\0\0\0'] * 5)),
    'runs of 8, upper row first': bmp(8, compression=1, palette=colours(256), height=-H, data=rle([bytes((9, i)) + b'\0\0' for i in range(5)])),
    'runs over the end of their row': bmp(8, compression=1, palette=colours(256), data=rle([bytes((12, i)) + b'\0\0' for i in range(5)])),
    'bytes over the end of their row': bmp(8, compression=1, palette=colours(256), data=rle([b'\0\x0cabcdefghijkl', b'\x06\x09\0\0'] + [b'\x09\x33\0\0'] * 3)),
    'runs that end too soon': bmp(8, compression=1, palette=colours(256), data=rle([b'\x09\x33\0\0'] * 3)),
    'runs with an empty row': bmp(8, compression=1, palette=colours(256), data=rle([b'\x09\x33\0\0\0\0'] + [b'\x09\x31\0\0'] * 3)),
    'runs that are cut off': bmp(8, compression=1, palette=colours(256), data=b'\x09\x33\0\0\x04'),
    'bytes that are cut off': bmp(8, compression=1, palette=colours(256), data=b'\0\x09abc'),
    'runs that skip all': bmp(8, compression=1, palette=colours(256), data=b'\0\2\0\x05\0\1'),
    'runs of 4': bmp(4, compression=2, palette=colours(16), data=rle([b'\x05\x1f\x04\x22\0\0', b'\0\x07\x12\x34\x56\x70\x02\x9a\0\0', b'\x09\x05\0\0', b'\0\x09\x12\x34\x56\x78\x90\0\0\0', b'\x09\x31\0\0'])),
    'runs of 4, greys': bmp(4, compression=2, palette=GREYS[:16], data=rle([b'\x09\x3c\0\0'] * 5)),
    'runs of 8 of 4 bits': bmp(4, compression=1, palette=colours(16), data=rle([b'\x09\x03\0\0'] * 5)),
    'runs of 4 of 8 bits': bmp(8, compression=2, palette=colours(16), data=rle([b'\x09\x33\0\0'] * 5)),
    'runs of 24 bits': bmp(24, compression=1, data=rle([b'\x09\x33\0\0'] * 5)),
}
for masks in [(0xFF0000, 0xFF00, 0xFF, 0), (0xFF000000, 0xFF0000, 0xFF00, 0), (0xFF000000, 0xFF00, 0xFF, 0), (0xFF000000, 0xFF0000, 0xFF00, 0xFF), (0xFF, 0xFF00, 0xFF0000, 0xFF000000), (0xFF0000, 0xFF00, 0xFF, 0xFF000000), (0xFF000000, 0xFF00, 0xFF, 0xFF0000), (0, 0, 0, 0)]:
    for header in (40, 52, 56, 108, 124):
        kept = masks[:3] if header <= 52 else masks
        KINDS[f'32 bits, header of {header}, masks {" ".join(f"{m:x}" for m in kept)}'] = bmp(32, header=header, compression=3, masks=kept)


def digest(image): return hashlib.sha256(image.tobytes()).hexdigest()[:16]


rows = []
for name, file in KINDS.items():
    row = {'name': name, 'file': base64.b64encode(file).decode(), 'rgb': None, 'white': None}
    try:
        image = Image.open(io.BytesIO(file))
        image.load()
        whole = image.convert('RGBA')
        row['rgb'] = digest(image.convert('RGB'))
        row['white'] = digest(Image.alpha_composite(Image.new('RGBA', whole.size, 'white'), whole).convert('RGB'))
    except Exception as error:
        row['error'] = f'{type(error).__name__}: {error}'
    rows.append(row)
print('[\n' + ',\n'.join(json.dumps(row) for row in rows) + '\n]')
