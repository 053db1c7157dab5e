/** Saves what a card shows as a PNG. */

/** Throws where the browser makes no picture of the canvas. */
export async function savePicture(canvas: HTMLCanvasElement, photoName: string): Promise<void> {
  const picture = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'))
  if (picture === null) throw new Error('This browser makes no picture of it.')
  const address = URL.createObjectURL(picture)
  const link = document.createElement('a')
  link.href = address
  link.download = `${photoName.replace(/\.[^.]+$/, '')}-plumage.png`
  link.click()
  // The download reads the address after the click has been handled.
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}
