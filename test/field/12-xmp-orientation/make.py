"""
Makes small files that say their orientation in every way that Pillow looks at, and what Pillow 13 makes of them:
`python make.py > orientations.expected.json` (needs pillow 13 and tifffile).
"""
import base64, io, json, struct, sys, zlib

import tifffile
import numpy as np
from PIL import Image, ImageOps, PngImagePlugin

W, H = 6, 4
pixels = np.array([[[40 * x, 60 * y, 255 - 20 * x - 10 * y] for x in range(W)] for y in range(H)], np.uint8)
im = Image.fromarray(pixels)


def xmp(o, element=False):
    tag = f'><tiff:Orientation>{o}</tiff:Orientation>' if element else f' tiff:Orientation="{o}">'
    return ('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            f'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/"{tag}</rdf:Description></rdf:RDF></x:xmpmeta>').encode()


TYPES = {'short': (3, 'H'), 'long': (4, 'I'), 'byte': (1, 'B'), 'ascii': (2, None), 'rational': (5, None), 'float': (11, 'f')}


def exif(o, kind='short', order='<', mark=True, tags=()):
    """One directory with the orientation, or with other tags alone where `o` is None."""
    entries = [struct.pack(order + 'HHII', 0x0100, 4, 1, 7)]
    blob = b''
    count = 1 + (o is not None) + len(tags)
    if o is not None:
        t, code = TYPES[kind]
        if kind == 'ascii':
            entries.append(struct.pack(order + 'HHI', 0x0112, t, 2) + (str(o).encode() + b'\0').ljust(4, b'\0'))
        elif kind == 'rational':
            entries.append(struct.pack(order + 'HHII', 0x0112, t, 1, 8 + 2 + 12 * count + 4))
            blob = struct.pack(order + 'II', 2 * o, 2)
        else:
            entries.append(struct.pack(order + 'HHI', 0x0112, t, 1) + struct.pack(order + code, o).ljust(4, b'\0'))
    entries += [struct.pack(order + 'HHI', *tag[:3]) + tag[3] for tag in tags]
    head = (b'II*\0' if order == '<' else b'MM\0*') + struct.pack(order + 'I', 8)
    return (b'Exif\0\0' if mark else b'') + head + struct.pack(order + 'H', count) + b''.join(entries) + bytes(4) + blob


def jpeg(*segments):
    out = io.BytesIO(); im.save(out, 'JPEG', quality=90); data = out.getvalue()
    return data[:2] + b''.join(s if isinstance(s, bytes) and s[:1] == b'\xff' else s for s in segments) + data[2:]


def app1(body): return b'\xff\xe1' + struct.pack('>H', len(body) + 2) + body
def app1_xmp(body): return app1(b'http://ns.adobe.com/xap/1.0/\0' + body)


def chunk(kind, body): return struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body))


def png(*before, after=()):
    out = io.BytesIO(); im.save(out, 'PNG'); data = out.getvalue()
    return data[:33] + b''.join(before) + data[33:-12] + b''.join(after) + data[-12:]


def raw_profile(body, mark=b'exif'):
    text = body.hex(); lines = '\n'.join(text[i:i + 72] for i in range(0, len(text), 72))
    return b'\n' + mark + b'\n%8d\n' % len(body) + lines.encode() + b'\n'


def itxt(key, body, packed=False):
    return chunk(b'iTXt', key + b'\0' + bytes([packed, 0]) + b'\0\0' + (zlib.compress(body) if packed else body))


def webp(**more):
    out = io.BytesIO(); im.save(out, 'WEBP', lossless=True, **more); return out.getvalue()


def avif(**more):
    out = io.BytesIO(); im.save(out, 'AVIF', quality=100, subsampling='4:4:4', **more); return out.getvalue()


def tiff(*extratags, **more):
    out = io.BytesIO(); tifffile.imwrite(out, pixels, photometric='rgb', metadata=None, extratags=list(extratags), **more); return out.getvalue()


files = {}
for o in range(1, 9):
    files[f'jpeg xmp {o}'] = jpeg(app1_xmp(xmp(o)))
    files[f'png xmp {o}'] = png(itxt(b'XML:com.adobe.xmp', xmp(o)))
    files[f'webp xmp {o}'] = webp(xmp=xmp(o))
    files[f'avif irot and imir {o}'] = avif(exif=exif(o))
    files[f'tiff xmp {o}'] = tiff((700, 'B', len(xmp(o)), xmp(o), True))
    files[f'png raw profile {o}'] = png(chunk(b'zTXt', b'Raw profile type exif\0\0' + zlib.compress(raw_profile(exif(o)))))
files |= {
    'jpeg xmp as element': jpeg(app1_xmp(xmp(6, True))),
    'jpeg exif before xmp': jpeg(app1(exif(3)), app1_xmp(xmp(6))),
    'jpeg xmp before exif': jpeg(app1_xmp(xmp(6)), app1(exif(3))),
    'jpeg exif says 1 and xmp 6': jpeg(app1(exif(1)), app1_xmp(xmp(6))),
    'jpeg exif says 0 and xmp 6': jpeg(app1(exif(0)), app1_xmp(xmp(6))),
    'jpeg exif says 9 and xmp 6': jpeg(app1(exif(9)), app1_xmp(xmp(6))),
    'jpeg exif without the tag and xmp 6': jpeg(app1(exif(None)), app1_xmp(xmp(6))),
    'jpeg two xmp': jpeg(app1_xmp(xmp(6)), app1_xmp(xmp(8))),
    'jpeg xmp says 9': jpeg(app1_xmp(xmp(9))),
    'jpeg xmp says 0': jpeg(app1_xmp(xmp(0))),
    'jpeg xmp of two digits': jpeg(app1_xmp(xmp(62))),
    'jpeg xmp with other quotes': jpeg(app1_xmp(xmp(6).replace(b'tiff:Orientation="6"', b"tiff:Orientation='6'"))),
    'jpeg xmp with spaces': jpeg(app1_xmp(xmp(6).replace(b'="6"', b' = "6"'))),
    'jpeg xmp in two places': jpeg(app1_xmp(xmp(6) + xmp(8))),
    'jpeg big-endian exif': jpeg(app1(exif(6, order='>'))),
    'jpeg exif as long': jpeg(app1(exif(6, 'long'))),
    'jpeg exif as byte': jpeg(app1(exif(6, 'byte')), app1_xmp(xmp(8))),
    'jpeg exif as text': jpeg(app1(exif(6, 'ascii'))),
    'jpeg exif as rational': jpeg(app1(exif(6, 'rational'))),
    'jpeg exif as float': jpeg(app1(exif(6, 'float'))),
    'jpeg exif marked twice': jpeg(app1(b'Exif\0\0' + exif(6))),
    'jpeg exif with the tag twice': jpeg(app1(exif(6, tags=[(0x0112, 3, 1, struct.pack('<HH', 8, 0))]))),
    'jpeg exif of an unknown type first': jpeg(app1(exif(None, tags=[(0x0112, 99, 1, struct.pack('<HH', 8, 0)), (0x0112, 3, 1, struct.pack('<HH', 6, 0))]))),
    'jpeg exif of two values': jpeg(app1(exif(None, tags=[(0x0112, 3, 2, struct.pack('<HH', 6, 8))]))),
    'jpeg exif of no values': jpeg(app1(exif(None, tags=[(0x0112, 3, 0, struct.pack('<HH', 6, 8))])), app1_xmp(xmp(8))),
    'jpeg exif in two segments': jpeg(app1(exif(6)[:20]), app1(b'Exif\0\0' + exif(6)[20:])),
    'jpeg exif cut before the tag': jpeg(app1(exif(6)[:36])),
    'jpeg exif empty': jpeg(app1(b'Exif\0\0'), app1_xmp(xmp(8))),
    'jpeg fill bytes and junk between segments': jpeg(b'\xff\xff\xff', app1(exif(6))),
    'jpeg extended xmp': jpeg(app1(b'http://ns.adobe.com/xmp/extension/\0' + bytes(40) + xmp(6))),
    'png xmp packed': png(itxt(b'XML:com.adobe.xmp', xmp(6), True)),
    'png xmp after the pixels': png(after=[itxt(b'XML:com.adobe.xmp', xmp(6))]),
    'png xmp as plain text': png(chunk(b'tEXt', b'XML:com.adobe.xmp\0' + xmp(6))),
    'png xmp as packed text': png(chunk(b'zTXt', b'XML:com.adobe.xmp\0\0' + zlib.compress(xmp(6)))),
    'png xmp under another name': png(itxt(b'xmp:Orientation', xmp(6))),
    'png exif chunk': png(chunk(b'eXIf', exif(6, mark=False))),
    'png exif chunk after the pixels': png(after=[chunk(b'eXIf', exif(6, mark=False))]),
    'png exif chunk and raw profile': png(chunk(b'eXIf', exif(6, mark=False)), chunk(b'tEXt', b'Raw profile type exif\0' + raw_profile(exif(8)))),
    'png exif chunk without the tag, raw profile and xmp': png(chunk(b'eXIf', exif(None, mark=False)), chunk(b'tEXt', b'Raw profile type exif\0' + raw_profile(exif(8))), itxt(b'XML:com.adobe.xmp', xmp(6))),
    'png raw profile as plain text': png(chunk(b'tEXt', b'Raw profile type exif\0' + raw_profile(exif(6)))),
    'png raw profile as international text': png(itxt(b'Raw profile type exif', raw_profile(exif(6)))),
    'png raw profile after the pixels': png(after=[chunk(b'tEXt', b'Raw profile type exif\0' + raw_profile(exif(6)))]),
    'png raw profile without the mark': png(chunk(b'tEXt', b'Raw profile type exif\0' + raw_profile(exif(6, mark=False)))),
    'png raw profile and xmp': png(chunk(b'tEXt', b'Raw profile type exif\0' + raw_profile(exif(3))), itxt(b'XML:com.adobe.xmp', xmp(6))),
    'png raw profile of APP1': png(chunk(b'tEXt', b'Raw profile type APP1\0' + raw_profile(exif(6), b'generic'))),
    'png two raw profiles': png(*(chunk(b'tEXt', b'Raw profile type exif\0' + raw_profile(exif(o))) for o in (6, 8))),
    'png broken packed raw profile and xmp': png(chunk(b'zTXt', b'Raw profile type exif\0\0' + b'nonsense'), itxt(b'XML:com.adobe.xmp', xmp(6))),
    'webp exif': webp(exif=exif(6)),
    'webp exif and xmp': webp(exif=exif(3), xmp=xmp(6)),
    'webp exif without the tag and xmp': webp(exif=exif(None), xmp=xmp(6)),
    'avif xmp': avif(xmp=xmp(6)),
    'avif exif 3 and xmp 6': avif(exif=exif(3), xmp=xmp(6)),
    'avif exif without the tag and xmp': avif(exif=exif(None), xmp=xmp(6)),
    'tiff tag': tiff((274, 'H', 1, 6, True)),
    'tiff tag 8 and xmp 6': tiff((274, 'H', 1, 8, True), (700, 'B', len(xmp(6)), xmp(6), True)),
    'tiff tag 1 and xmp 6': tiff((274, 'H', 1, 1, True), (700, 'B', len(xmp(6)), xmp(6), True)),
    'tiff big-endian with xmp': tiff((700, 'B', len(xmp(6)), xmp(6), True), byteorder='>'),
    'tiff of 64 bits with xmp': tiff((700, 'B', len(xmp(6)), xmp(6), True), bigtiff=True),
    'tiff tag as long': tiff((274, 'I', 1, 6, True)),
}

found = []
for name, data in files.items():
    try:
        plain = Image.open(io.BytesIO(data)).convert('RGB')
        opened = Image.open(io.BytesIO(data))
        orientation = opened.getexif().get(0x0112, 1)
        # A TIFF has been turned by then, and says nothing any more.
        turned = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert('RGB')
    except Exception as error:
        print(name, 'is refused by Pillow:', repr(error), file=sys.stderr)
        continue
    found.append({
        'name': name, 'orientation': int(orientation) if isinstance(orientation, (int, float)) or hasattr(orientation, 'numerator') else 1,
        'upright': [turned.height, turned.width], 'stored': [plain.height, plain.width],
        'pixels': base64.b64encode(turned.tobytes()).decode(), 'file': base64.b64encode(data).decode()})
print('[\n' + ',\n'.join(json.dumps(row) for row in found) + '\n]')
