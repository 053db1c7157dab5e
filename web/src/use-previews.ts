/** Has previews made by a worker. */
import { useCallback, useEffect, useRef } from 'preact/hooks'
import type { PreviewAnswer, PreviewRequest } from './preview-worker.js'

/** @returns what asks for a preview; `onPreview` gets it, and owns it */
export function usePreviews(
  onPreview: (id: number, preview: ImageBitmap) => void,
): (request: PreviewRequest) => void {
  const worker = useRef<Worker | null>(null)
  useEffect(() => {
    const made = new Worker(new URL('./preview-worker.ts', import.meta.url), { type: 'module' })
    made.onmessage = ({ data: { id, preview } }: MessageEvent<PreviewAnswer>) => onPreview(id, preview)
    worker.current = made
    return () => made.terminate()
  }, [onPreview])
  return useCallback((request) => worker.current?.postMessage(request), [])
}
