/** Computes the colours of all photos, which are fitted anew when photos come or go. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { ColorAnswer, ColorRequest } from './color-worker.js'
import { type Photo, thingsMap } from './photo.js'

type Colors = ReadonlyMap<number, Uint8Array>

/** Colours are fitted this often at most, in milliseconds: fitting goes over all patches. */
const FIT_EVERY = 500

export function useColors(photos: readonly Photo[]): Colors {
  const [colors, setColors] = useState<Colors>(new Map())
  const worker = useRef<Worker | null>(null)
  const round = useRef(0)
  const fitted = useRef(Number.NEGATIVE_INFINITY)
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
    // Photos that come one after the other do not put it off for ever.
    const wait = Math.max(0, fitted.current + FIT_EVERY - performance.now())
    const timer = setTimeout(() => {
      fitted.current = performance.now()
      round.current++
      const maps = known.map(({ id, features }) => {
        const { patches, grid } = thingsMap(features)
        // A view would take along all that lies around it.
        return { id, patches: patches.slice(), grid }
      })
      const request: ColorRequest = { round: round.current, maps }
      worker.current?.postMessage(request, { transfer: maps.map(({ patches }) => patches.buffer) })
    }, wait)
    return () => clearTimeout(timer)
  }, [signature])
  return colors
}
