/**
 * Reads the very numbers of a decoded bitmap. A 2D canvas multiplies colours by alpha and back, which loses bits wherever a pixel is not opaque;
 * a texture keeps them.
 */
import { ImageError } from '../../image/image-error.js'

/** With these options a bitmap holds what the file holds. */
export const AS_STORED: ImageBitmapOptions = {
  colorSpaceConversion: 'none',
  premultiplyAlpha: 'none',
  imageOrientation: 'none',
}

/** Gives RGBA, row by row from the top left. */
export async function readPixels(
  bitmap: ImageBitmap,
  mayHaveAlpha: boolean,
): Promise<Uint8ClampedArray | Uint8Array> {
  if (!mayHaveAlpha) return readOpaque(bitmap)
  const gl = textureReaderOrNull()
  if (gl !== null) return await readTexture(gl, bitmap)
  const pixels = readOpaque(bitmap)
  for (let i = 3; i < pixels.length; i += 4) if (pixels[i] !== 255) throw needsTextures()
  return pixels
}

function readOpaque(bitmap: ImageBitmap): Uint8ClampedArray {
  const { width, height } = bitmap
  // The canvas stays on the processor, since its pixels are read once, right away.
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
  if (context === null) {
    throw new ImageError(
      'too-large',
      `This browser makes no canvas of ${width} x ${height} pixels to read the image from.`,
    )
  }
  context.drawImage(bitmap, 0, 0)
  return context.getImageData(0, 0, width, height).data
}

let reader: WebGL2RenderingContext | null = null

function textureReaderOrNull(): WebGL2RenderingContext | null {
  if (reader === null || reader.isContextLost()) {
    reader = new OffscreenCanvas(1, 1).getContext('webgl2')
  }
  return reader
}

async function readTexture(gl: WebGL2RenderingContext, bitmap: ImageBitmap): Promise<Uint8Array> {
  const { width, height } = bitmap
  const most = gl.getParameter(gl.MAX_TEXTURE_SIZE) as number
  const out = new Uint8Array(width * height * 4)
  for (let top = 0; top < height; top += most) {
    for (let left = 0; left < width; left += most) {
      const size = { width: Math.min(most, width - left), height: Math.min(most, height - top) }
      if (size.width === width && size.height === height) {
        readTile(gl, bitmap, out)
        return out
      }
      const tile = await createImageBitmap(bitmap, left, top, size.width, size.height, AS_STORED)
      const pixels = new Uint8Array(size.width * size.height * 4)
      readTile(gl, tile, pixels)
      tile.close()
      for (let y = 0; y < size.height; y++) {
        const row = pixels.subarray(y * size.width * 4, (y + 1) * size.width * 4)
        out.set(row, ((top + y) * width + left) * 4)
      }
    }
  }
  return out
}

function readTile(gl: WebGL2RenderingContext, bitmap: ImageBitmap, out: Uint8Array): void {
  const texture = gl.createTexture()
  const framebuffer = gl.createFramebuffer()
  try {
    gl.bindTexture(gl.TEXTURE_2D, texture)
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false)
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE)
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, bitmap)
    gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer)
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0)
    gl.readPixels(0, 0, bitmap.width, bitmap.height, gl.RGBA, gl.UNSIGNED_BYTE, out)
    const error = gl.getError()
    if (error !== gl.NO_ERROR) {
      throw new ImageError(
        'unreadable',
        `This browser could not read the decoded pixels (WebGL error ${error}).`,
      )
    }
  } finally {
    gl.deleteFramebuffer(framebuffer)
    gl.deleteTexture(texture)
  }
}

function needsTextures(): ImageError {
  return new ImageError(
    'unsupported',
    'The image has pixels that are not opaque, and this browser has no WebGL, without which their colours cannot be read exactly. ' +
      'Save it without transparency.',
  )
}
