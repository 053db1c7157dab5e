/** Makes previews off the page's thread, one after the other: a decoded photo of many megapixels is large, and resizing it takes long. */
import { makePreview } from './photo.js'

export interface PreviewRequest {
  readonly id: number
  readonly file: Blob
}

export interface PreviewAnswer {
  readonly id: number
  readonly preview: ImageBitmap
}

const scope = self as unknown as DedicatedWorkerGlobalScope
let last: Promise<void> = Promise.resolve()
scope.onmessage = ({ data: { id, file } }: MessageEvent<PreviewRequest>) => {
  last = last.then(async () => {
    try {
      const preview = await makePreview(file)
      scope.postMessage({ id, preview } satisfies PreviewAnswer, [preview])
    } catch {
      // The encoder says what is wrong with the file, and says it better.
    }
  })
}
