/** Loads the model, and again when another size is asked for or after a failure. */
import { type Encoder, type ImageSource, loadEncoder } from 'plumage/browser'
import { useCallback, useEffect, useState } from 'preact/hooks'
import type { EncoderStatus } from './encode-waiting.js'
import { messageOf } from './message-of.js'

const START: EncoderStatus = { kind: 'loading', text: '', loaded: null, done: 0, total: 0, rate: null }

export interface EncoderLoading {
  readonly status: EncoderStatus
  setStatus(update: (old: EncoderStatus) => EncoderStatus): void
  /** Loads the model again after a failure. */
  retry(): void
}

/**
 * @param side of the model's input in pixels
 * @param onEncoder gets the encoder, which it does not own, and null before that is disposed of
 */
export function useEncoder(
  side: number,
  onEncoder: (encoder: Encoder<ImageSource> | null) => void,
): EncoderLoading {
  const [status, setStatus] = useState(START)
  const [attempt, setAttempt] = useState(0)

  useEffect(() => {
    const abort = new AbortController()
    let owned: Encoder<ImageSource> | null = null
    setStatus((old) => ({ ...START, rate: old.rate }))
    loadEncoder('mini', {
      size: side,
      signal: abort.signal,
      onWarning: () => {}, // The status says which engine it is.
      onProgress: (progress) => {
        if (progress.kind !== 'bytes' || !progress.total) return
        const loaded = progress.received / progress.total
        setStatus((old) => ({ ...old, loaded }))
      },
    })
      .then((loaded) => {
        if (abort.signal.aborted) return loaded[Symbol.dispose]()
        owned = loaded
        const { engine, precision } = loaded.identity
        setStatus((old) => ({ ...old, kind: 'ready', text: `${engine}, ${precision}` }))
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
  }, [side, onEncoder, attempt])

  const retry = useCallback(() => setAttempt((old) => old + 1), [])
  return { status, setStatus, retry }
}
