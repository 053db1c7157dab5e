/** Loads the model, and again when another size or another model is asked for or after a failure. */
import { type Encoder, type ImageSource, loadEncoder, type ModelSource } from 'plumage/browser'
import { useCallback, useEffect, useState } from 'preact/hooks'
import type { EncoderStatus } from './encode-waiting.js'
import { messageOf } from './message-of.js'

const START: EncoderStatus = {
  kind: 'loading',
  text: '',
  how: null,
  loaded: null,
  done: 0,
  total: 0,
  rate: null,
}

export interface ModelChoice {
  /** Is undefined for the model that comes with the page. */
  readonly source: ModelSource | undefined
  /** Counts the places a side that the model's input has; null leaves it as the model was trained. */
  readonly detail: number | null
}

export interface EncoderLoading {
  readonly status: EncoderStatus
  setStatus(update: (old: EncoderStatus) => EncoderStatus): void
  /** Loads the model again after a failure. */
  retry(): void
}

/** The page's own model has patches of so many pixels; of another model it is seen once it is loaded. */
const PATCH_PIXELS = 14

/** @param onEncoder gets the encoder, which it does not own, and null before that is disposed of */
export function useEncoder(
  { source, detail }: ModelChoice,
  onEncoder: (encoder: Encoder<ImageSource> | null) => void,
): EncoderLoading {
  const [status, setStatus] = useState(START)
  const [attempt, setAttempt] = useState(0)

  useEffect(() => {
    const abort = new AbortController()
    let owned: Encoder<ImageSource> | null = null
    setStatus((old) => ({ ...START, rate: old.rate }))
    const load = (size: number | null) =>
      loadEncoder(source, {
        ...(size === null ? {} : { size }),
        signal: abort.signal,
        onWarning: () => {}, // What is told under "How" says which engine it is.
        onProgress: (progress) => {
          if (progress.kind !== 'bytes' || !progress.total) return
          const loaded = progress.received / progress.total
          setStatus((old) => ({ ...old, loaded }))
        },
      })
    loadSized(load, source === undefined ? PATCH_PIXELS : null, detail)
      .then((loaded) => {
        if (abort.signal.aborted) return loaded[Symbol.dispose]()
        owned = loaded
        setStatus((old) => ({ ...old, kind: 'ready', how: loaded }))
        onEncoder(loaded)
      })
      .catch((error) => {
        if (!abort.signal.aborted) setStatus((old) => ({ ...old, kind: 'failed', text: messageOf(error) }))
      })
    return () => {
      abort.abort()
      onEncoder(null)
      owned?.[Symbol.dispose]()
    }
  }, [source, detail, onEncoder, attempt])

  const retry = useCallback(() => setAttempt((old) => old + 1), [])
  return { status, setStatus, retry }
}

/** A size in pixels follows from the patches' own, which a model of the visitor's tells when it is loaded as it was trained. */
async function loadSized(
  load: (size: number | null) => Promise<Encoder<ImageSource>>,
  patchPixels: number | null,
  detail: number | null,
): Promise<Encoder<ImageSource>> {
  if (detail === null) return await load(null)
  if (patchPixels !== null) return await load(patchPixels * detail)
  const trained = await load(null)
  const side = trained.patchSize * detail
  if (trained.size[0] === side && trained.size[1] === side) return trained
  trained[Symbol.dispose]()
  return await load(side)
}
