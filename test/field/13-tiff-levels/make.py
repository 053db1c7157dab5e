"""
Makes a small TIFF of each kind that Pillow 13 lists (TiffImagePlugin.OPEN_INFO), in each packing, and what its `convert('RGB')` makes of it:
`python make.py > modes.expected.json` (needs pillow 13, tifffile and imagecodecs). `rgb` begins the SHA-256 of its bytes, and is null where Pillow refuses.
"""
import base64, hashlib, io, json, struct, warnings, zlib

import imagecodecs
import numpy as np
import tifffile
from PIL import Image, TiffImagePlugin

warnings.simplefilter('ignore')
W, H = 9, 5
rng = np.random.default_rng(7)


def flip(data): return bytes(int(f'{b:08b}'[::-1], 2) for b in data)


PACK = {1: lambda d: d, 5: imagecodecs.lzw_encode, 8: zlib.compress, 32946: zlib.compress, 32773: lambda d: bytes(imagecodecs.packbits_encode(d))}


def samples_of(bits, fmt):
    """[H, W, n] of numbers; small ones are frequent, since most kinds cut at 255."""
    n = len(bits)
    if fmt == 3:
        return rng.choice([0, -3.5, 0.49, 1.5, 100.7, 254.999, 255, 255.5, 1e9, -1e9], (H, W, n)).astype(np.float32)
    small = rng.integers(-100 if fmt == 2 else 0, min(2 ** bits[0], 400), (H, W, n))
    any_ = rng.integers(-2 ** (bits[0] - 1) if fmt == 2 else 0, 2 ** (bits[0] - (fmt == 2)), (H, W, n))
    both = np.where(rng.random((H, W, n)) < 0.5, small, any_)
    return np.clip(both, -2 ** (bits[0] - 1) if fmt == 2 else 0, 2 ** (bits[0] - (fmt == 2)) - 1).astype(np.int64)


def row_bytes(row, bits, fmt, order):
    """One row of samples of one width."""
    if bits in (8, 16, 32):
        code = {8: 'b' if fmt == 2 else 'B', 16: 'h' if fmt == 2 else 'H', 32: {1: 'I', 2: 'i', 3: 'f'}[fmt]}[bits]
        return struct.pack(f'{order}{len(row)}{code}', *row.tolist())
    text = ''.join(f'{int(v):0{bits}b}' for v in row)
    text += '0' * (-len(text) % 8)
    return bytes(int(text[i:i + 8], 2) for i in range(0, len(text), 8))


def predict(piece, predictor, fmt, bits, order):
    """`piece` is [rows, columns, n]."""
    if predictor == 2:
        d = piece.astype(np.int64).copy()
        d[:, 1:] -= piece[:, :-1].astype(np.int64)
        return np.where(True, d & (2 ** bits - 1), 0), 1
    return piece, fmt


def float_predict(piece):
    rows = []
    for row in piece.reshape(piece.shape[0], -1).astype('>f4'):
        planes = np.frombuffer(row.tobytes(), np.uint8).reshape(-1, 4).T.reshape(-1).astype(int)
        n = piece.shape[2]
        out = planes.copy(); out[n:] -= planes[:-n]
        rows.append((out & 255).astype(np.uint8).tobytes())
    return b''.join(rows)


def tiff(order, photo, fmt, fill, bits, extra, packing=1, planes=1, predictor=1, rows=3, tile=None, big=False, leave_out=(), more=()):
    data = samples_of(bits, fmt); n = len(bits)
    def encode(piece):
        if predictor == 3: raw = float_predict(piece)
        else:
            p, f = predict(piece, predictor, fmt, bits[0], order)
            raw = b''.join(row_bytes(row.reshape(-1), bits[0], f, order) for row in p)
        packed = PACK[packing](raw)
        return flip(packed) if fill == 2 else packed
    layers = [data] if planes == 1 else [data[:, :, i:i + 1] for i in range(n)]
    pieces = []
    for layer in layers:
        if tile:
            th, tw = tile
            for y in range(0, H, th):
                for x in range(0, W, tw):
                    block = np.zeros((th, tw, layer.shape[2]), layer.dtype)
                    part = layer[y:y + th, x:x + tw]; block[:part.shape[0], :part.shape[1]] = part
                    pieces.append(encode(block))
        else:
            pieces += [encode(layer[y:y + rows]) for y in range(0, H, rows)]
    tags = [(256, 4, [W]), (257, 4, [H]), (258, 3, bits), (259, 3, [packing]), (262, 3, [photo]), (277, 3, [n]), (284, 3, [planes])]
    if fill != 1: tags.append((266, 3, [fill]))
    if predictor != 1: tags.append((317, 3, [predictor]))
    if extra: tags.append((338, 3, extra))
    if fmt != 1: tags.append((339, 3, [fmt] * n))
    if photo == 3: tags.append((320, 3, [int(v) for v in rng.integers(0, 65536, 3 * 2 ** bits[0])]))
    if photo == 6: tags.append((530, 3, [1, 1]))
    tags += [(322, 4, [tile[1]]), (323, 4, [tile[0]]), (324, 4, [0] * len(pieces)), (325, 4, [len(p) for p in pieces])] if tile else \
            [(273, 4, [0] * len(pieces)), (278, 4, [rows]), (279, 4, [len(p) for p in pieces])]
    tags = sorted([t for t in tags if t[0] not in leave_out] + list(more))
    width, head = (20, 16) if big else (12, 8)
    blob_at = head + (8 if big else 2) + width * len(tags) + (8 if big else 4)
    code = {1: 'B', 3: 'H', 4: 'I'}
    def blobs(offsets):
        blob = b''; entries = b''
        for tag, typ, values in tags:
            values = offsets if tag in (273, 324) else values
            raw = struct.pack(f'{order}{len(values)}{code[typ]}', *values)
            inside = 8 if big else 4
            entries += struct.pack(order + ('HHQ' if big else 'HHI'), tag, typ, len(values))
            if len(raw) <= inside: entries += raw.ljust(inside, b'\0')
            else:
                entries += struct.pack(order + ('Q' if big else 'I'), blob_at + len(blob)); blob += raw + b'\0' * (len(raw) % 2)
        return entries, blob
    _, blob = blobs([0] * len(pieces))
    at = blob_at + len(blob); offsets = []
    for p in pieces: offsets.append(at); at += len(p)
    entries, blob = blobs(offsets)
    mark = (b'II' if order == '<' else b'MM')
    header = mark + (struct.pack(order + 'HHHQ', 43, 8, 0, 16) if big else struct.pack(order + 'HI', 42, 8))
    return header + struct.pack(order + ('Q' if big else 'H'), len(tags)) + entries + (bytes(8) if big else bytes(4)) + blob + b''.join(pieces)


found = []
def add(name, data):
    try:
        im = Image.open(io.BytesIO(data)); mode = im.mode
        rgb = im.convert('RGB').tobytes()
    except Exception as error:
        mode, rgb = repr(error)[:80], None
    found.append({'name': name, 'mode': mode, 'file': base64.b64encode(data).decode(), 'rgb': rgb and hashlib.sha256(rgb).hexdigest()[:16]})


for key in TiffImagePlugin.OPEN_INFO:
    prefix, photo, fmt, fill, bits, extra = key
    order = '<' if prefix == b'II' else '>'
    args = (order, photo, fmt[0], fill, list(bits), list(extra))
    kind = f'{prefix.decode()} photometric {photo} format {fmt[0]} fill {fill} bits {" ".join(map(str, bits))} extra {" ".join(map(str, extra)) or "-"}'
    add(kind, tiff(*args))
    # The byte order says nothing of bytes.
    if order == '>' and bits[0] <= 8: continue
    add(f'{kind}, LZW', tiff(*args, packing=5))
    if fill == 1 and order == '<' and bits[0] in (8, 16, 32):
        for predictor in (2, 3) if fmt[0] == 3 else (2,):
            add(f'{kind}, Deflate with predictor {predictor}', tiff(*args, packing=8, predictor=predictor))
    if order == '>' and bits[0] in (16, 32):
        for predictor in (2, 3) if fmt[0] == 3 else (2,):
            add(f'{kind}, LZW with predictor {predictor}', tiff(*args, packing=5, predictor=predictor))
    if len(bits) > 1:
        add(f'{kind}, planes', tiff(*args, planes=2))
        add(f'{kind}, PackBits in planes', tiff(*args, packing=32773, planes=2))

rgb = ('<', 2, 1, 1, [8, 8, 8], [])
grey = ('<', 1, 1, 1, [8], [])
for packing in PACK:
    add(f'RGB in tiles, packing {packing}', tiff(*rgb, packing=packing, tile=(16, 16)))
    add(f'grey in four tiles, packing {packing}', tiff(*grey, packing=packing, tile=(16, 16)))
    add(f'RGB in planes and tiles, packing {packing}', tiff(*rgb, packing=packing, planes=2, tile=(16, 16)))
    add(f'RGB in 64-bit offsets, packing {packing}', tiff(*rgb, packing=packing, big=True))
    add(f'big-endian 16-bit RGB in 64-bit offsets, packing {packing}', tiff('>', 2, 1, 1, [16] * 3, [], packing=packing, big=True))
add('RGB in one strip', tiff(*rgb, rows=100))
add('RGB in strips of one row', tiff(*rgb, rows=1))
add('without a photometric interpretation', tiff(*grey, leave_out=(262,)))
add('without bits per sample', tiff('<', 1, 1, 1, [1], [], leave_out=(258,)))
add('without samples per pixel', tiff(*grey, leave_out=(277,)))
add('without samples per pixel, RGB', tiff(*rgb, leave_out=(277,)))
add('without rows per strip', tiff(*rgb, rows=H, leave_out=(278,)))
add('without strip lengths', tiff(*rgb, leave_out=(279,)))
add('without strip lengths, LZW', tiff(*rgb, packing=5, rows=H, leave_out=(279,)))
add('without strip places', tiff(*rgb, leave_out=(273,)))
add('without a width', tiff(*rgb, leave_out=(256,)))
add('bits given once for three samples', tiff(*rgb, leave_out=(258,), more=[(258, 3, [8])]))
add('RGB with an alpha that is not announced', tiff('<', 2, 1, 1, [8] * 4, []))
add('YCbCr without a tag for its subsampling', tiff('<', 6, 1, 1, [8] * 3, [], leave_out=(530,)))
add('palette of 16 entries whose colours have 8 bits', tiff('<', 3, 1, 1, [4], [], leave_out=(320,), more=[(320, 3, list(range(48)))]))
add('palette of too few entries', tiff('<', 3, 1, 1, [8], [], leave_out=(320,), more=[(320, 3, [40000] * 48)]))
for bits, fmt, photo in [([16], 3, 1), ([64], 1, 1), ([24], 1, 1), ([10], 1, 1), ([14], 1, 1), ([12] * 3, 1, 2), ([32] * 3, 1, 2)]:
    width = {16: 16, 64: 32, 24: 8, 10: 8, 14: 8, 12: 8, 32: 32}[bits[0]]
    add(f'{len(bits)} samples of {bits[0]} bits, format {fmt}', tiff('<', photo, 1, 1, [width] * len(bits), [], leave_out=(258, 339), more=[(258, 3, bits)] + ([(339, 3, [fmt])] if fmt != 1 else [])))
add('signed RGB', tiff('<', 2, 2, 1, [8] * 3, []))
add('float RGB', tiff('<', 2, 3, 1, [32] * 3, []))
add('big-endian 32-bit unsigned', tiff('>', 1, 1, 1, [32], []))
add('big-endian 16-bit with white at 0', tiff('>', 0, 1, 1, [16], []))
add('colour filter array', tiff('<', 32803, 1, 1, [8], []))
add('ICCLAB', tiff('<', 9, 1, 1, [8] * 3, []))
im = Image.fromarray(rng.integers(0, 256, (24, 24, 3)).astype(np.uint8))
def saved(image, **options):
    out = io.BytesIO(); image.save(out, 'TIFF', **options); return out.getvalue()
for mode in ('L', 'RGB', 'YCbCr', 'CMYK'):
    add(f'JPEG of {mode}', saved(im.convert(mode), compression='jpeg'))
for packing in ('group3', 'group4', 'tiff_ccitt'):
    for photo in (0, 1):
        for fill in (1, 2):
            add(f'{packing}, photometric {photo}, fill {fill}', saved(im.convert('1'), compression=packing, tiffinfo={262: photo, 266: fill}))
for packing in ('zstd', 'lzma', 'webp', 'jpeg'):
    for photometric in ('rgb',) if packing != 'jpeg' else ('rgb', 'ycbcr'):
        for tile in (None, (16, 16)):
            out = io.BytesIO(); tifffile.imwrite(out, np.asarray(im), photometric=photometric, compression=packing, tile=tile, metadata=None)
            add(f'{packing} {photometric} {"in tiles" if tile else "in strips"}', out.getvalue())
out = io.BytesIO(); tifffile.imwrite(out, np.asarray(im)[:8, :8], photometric='rgb', metadata=None, subfiletype=1); add('a preview first', out.getvalue())
print('[\n' + ',\n'.join(json.dumps(row) for row in found) + '\n]')
