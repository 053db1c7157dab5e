"""Makes a photo of a telephone and what pillow-heif makes of it: `python make.py` (needs pillow 13 and pillow-heif)."""
import numpy as np
from PIL import Image
import pillow_heif

pillow_heif.register_heif_opener()
x, y = np.meshgrid(np.arange(64), np.arange(48))
im = Image.fromarray(np.dstack([4 * x, 5 * y, 255 - 2 * x - 2 * y]).astype(np.uint8))
exif = Image.Exif(); exif[0x0112] = 6
im.save('lying.heic', quality=95, exif=exif.tobytes())
im.save('upright.heic', quality=95)
for name in ('lying', 'upright'):
    Image.open(f'{name}.heic').convert('RGB').save(f'{name}.expected.png')
    print(name, Image.open(f'{name}.heic').size)
