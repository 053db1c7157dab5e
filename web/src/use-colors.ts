/** The PCA colours of all photos, fitted anew when photos come or go. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { ColorAnswer, ColorRequest } from './color-worker.js'
import { type Level, type Photo, patchMapOf } from './photo.js'

type Colors = ReadonlyMap<number, Uint8Array>

/** How long the photos must rest before colours are fitted, milliseconds: fitting costs all patches. */
const REST_MS = 150

export function useColors(photos: readonly Photo[], level: Level): Colors {
  const [colors, setColors] = useState<Colors>(new Map())
  const worker = useRef<Worker | null>(null)
  const round = useRef(0)
  useEffect(() => {
    const made = new Worker(new URL('./color-worker.ts', import.meta.url), { type: 'module' })
    made.onmessage = ({ data }: MessageEvent<ColorAnswer>) => {
      if (data.round === round.current) setColors(data.colors)
    }
    worker.current = made
    return () => made.terminate()
  }, [])

  const known = photos.flatMap(({ id, features }) => (features === null ? [] : [{ id, features }]))
  const signature = known.map(({ id, features }) => `${id}:${features.patches.length}`).join()
  useEffect(() => {
    if (known.length === 0) return
    const timer = setTimeout(() => {
      round.current++
      const maps = known.map(({ id, features }) => {
        const { patches, grid } = patchMapOf(features, level)
        return { id, patches, grid }
      })
      worker.current?.postMessage({ round: round.current, maps } satisfies ColorRequest)
    }, REST_MS)
    return () => clearTimeout(timer)
  }, [signature, level])
  return colors
}
