/** Encodes the photos that wait, each shown as soon as it is computed. */
import type { Encoder, EncoderDescription, ImageSource } from 'plumage/browser'
import { messageOf } from './message-of.js'
import { objectFacets } from './object-map.js'
import { type Photo, thingsBlock } from './photo.js'

export interface EncoderStatus {
  readonly kind: 'loading' | 'ready' | 'encoding' | 'failed'
  /** Says why there is no encoder; it is empty otherwise. */
  readonly text: string
  /** Says what computes and how; it is null until the model is loaded. */
  readonly how: EncoderDescription | null
  /** Says which share of the model is here, 0 to 1; it is null before its size is known. */
  readonly loaded: number | null
  readonly done: number
  readonly total: number
  /** Counts the photos per second of the last or present run; it is null before the first photo. */
  readonly rate: number | null
}

/** Holds the page's state as it is now, which goes on changing while photos are encoded. */
export interface Waiting {
  encoder: Encoder<ImageSource> | null
  queue: Photo[]
  /** Holds the photos that were removed, by their numbers. */
  readonly gone: Set<number>
  running: boolean
}

export interface Shown {
  /** Changes what is shown of a photo, soon. */
  change(id: number, part: Partial<Photo>): void
  /** Shows all changes now. */
  show(): void
  setStatus(update: (old: EncoderStatus) => EncoderStatus): void
}

/** Small batches are taken: a picture that is waited for matters more than the last bit of speed. */
const BATCH = 4

/** Encodes until nothing waits. A photo that is dropped meanwhile joins in. */
export async function encodeWaiting(state: Waiting, shown: Shown): Promise<void> {
  const { encoder } = state
  if (encoder === null || state.running || state.queue.length === 0) return
  state.running = true
  let failed = false
  // When another encoder has taken over, all photos wait for that one.
  const isCurrent = () => state.encoder === encoder
  try {
    await encodeQueue(encoder, state, shown, isCurrent)
  } catch (error) {
    failed = true
    if (isCurrent()) shown.setStatus((old) => ({ ...old, kind: 'failed', text: messageOf(error) }))
  } finally {
    state.running = false
  }
  // Some may have come in at the last moment; nothing is tried again with an encoder that failed.
  if (state.queue.length > 0 && !(failed && isCurrent())) await encodeWaiting(state, shown)
}

async function encodeQueue(
  encoder: Encoder<ImageSource>,
  state: Waiting,
  { change, show, setStatus }: Shown,
  isCurrent: () => boolean,
): Promise<void> {
  const started = performance.now()
  const finished = new Set<number>()
  const taken: Photo[] = []
  const report = (kind: EncoderStatus['kind']) => {
    const seconds = (performance.now() - started) / 1000
    const done = [...finished].filter((id) => !state.gone.has(id)).length
    const total = taken.filter(({ id }) => !state.gone.has(id)).length + state.queue.length
    const rate = finished.size > 0 ? finished.size / seconds : null
    setStatus((old) => ({ ...old, kind, done, total, rate: rate ?? old.rate }))
  }
  const files = async function* () {
    while (isCurrent()) {
      const photo = state.queue.shift()
      if (photo === undefined) return
      if (state.gone.has(photo.id)) continue
      taken.push(photo)
      yield photo.file
    }
  }
  report('encoding')
  const { depth, attends } = encoder
  // Without a class token, and without a head that looks for itself, nothing looks at a photo as a whole.
  const looks = attends.classToken || attends.probeHeads !== null
  const layers = [thingsBlock(depth)]
  const options = { batch: BATCH, layers, facets: objectFacets(encoder), ...(looks ? { attention: {} } : {}) }
  for await (const { index, features, error } of encoder.encodeAll(files(), options)) {
    if (!isCurrent()) break
    const photo = taken[index]
    if (photo === undefined)
      throw new Error(`The encoder answered for photo ${index}, which it was not given.`)
    finished.add(photo.id)
    change(photo.id, features ? { features, problem: null } : { problem: error.message })
    report('encoding')
  }
  show()
  if (isCurrent()) report('ready')
}
