/** Makes a small picture of a photo, which is all that the page keeps of it. */

/** Is the longer side in pixels: twice what is shown, for screens with small pixels. */
const SIDE = 240
const QUALITY = 0.7

/** Gives a JPEG as a `data:` address; it is empty where the browser cannot decode what the encoder can. */
export async function makeThumbnail(file: Blob): Promise<string> {
  const whole = await createImageBitmap(file).catch(() => null)
  if (whole === null) return ''
  const scale = Math.min(1, SIDE / Math.max(whole.height, whole.width))
  const canvas = new OffscreenCanvas(
    Math.max(1, Math.round(whole.width * scale)),
    Math.max(1, Math.round(whole.height * scale)),
  )
  const context = canvas.getContext('2d')
  if (context === null) return ''
  context.imageSmoothingQuality = 'high'
  context.drawImage(whole, 0, 0, canvas.width, canvas.height)
  whole.close()
  const bytes = new Uint8Array(
    await (await canvas.convertToBlob({ type: 'image/jpeg', quality: QUALITY })).arrayBuffer(),
  )
  return `data:image/jpeg;base64,${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}`
}
