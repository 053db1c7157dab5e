/**
 * Encodes files in memory, for tests of everything around an encoder: its numbers are made of a file's text. As the real one does, it takes a
 * few sources ahead of what it has answered, fails alone where an image is bad, and throws at an abort.
 */
import type { Features } from '../../src/encoder/types.js'
import type { FileEncoder, FileSource } from '../../src/work/file-encoder.js'
import type { Files } from '../../src/work/files.js'

export const WIDTH = 2
const AHEAD = 3
const identity = {
  model: 'text',
  digest: 'a'.repeat(64),
  weights: 'b'.repeat(64),
  settings: '{}',
  engine: 'reference',
  precision: 'float64',
  recipe: 'text',
} as const

export function textEncoder(files: Files, onCompute: (path: string) => void = () => {}): FileEncoder {
  return {
    identity,
    width: WIDTH,
    embedding: 'class',
    embeddingWidth: WIDTH,
    labels: null,
    classes: null,
    patchSize: 1,
    registers: 0,
    depth: 1,
    attends: { heads: 1, classToken: true, probeHeads: null, exact: true },
    size: [1, 1],
    async *encodeAll(sources, { signal } = {}) {
      const iterator = sources[Symbol.asyncIterator]()
      const waiting: FileSource[] = []
      let index = 0
      for (let ended = false; ; ) {
        signal?.throwIfAborted()
        while (!ended && waiting.length < AHEAD) {
          const next = await iterator.next()
          if (next.done) ended = true
          else if (typeof next.value === 'string' || next.value instanceof Uint8Array)
            waiting.push(next.value)
          else throw new Error('this encoder reads texts, and no pixels')
        }
        const source = waiting.shift()
        if (source === undefined) return
        const isPath = typeof source === 'string'
        if (!isPath && !(source instanceof Uint8Array))
          throw new TypeError('this encoder reads texts, not pixels')
        const text = isPath ? await files.readText(source) : new TextDecoder().decode(source)
        onCompute(isPath ? source : '-')
        if (text === null || text.startsWith('broken'))
          yield { index: index++, source, error: new Error(`no image: ${text}`) }
        else yield { index: index++, source, features: featuresOf(text) }
      }
    },
    [Symbol.dispose]() {},
    async [Symbol.asyncDispose]() {},
  }
}

/** Gives what the encoder finds in an image of this text. */
export function featuresOf(text: string): Features {
  const embedding = Float32Array.of(
    text.length,
    [...text].reduce((sum, letter) => sum + letter.charCodeAt(0), 0),
  )
  return {
    embedding,
    patches: embedding,
    registers: new Float32Array(),
    grid: { rows: 1, columns: 1 },
    layers: new Map(),
    imageSize: [text.length, 1],
    orientation: { found: 1, applied: true },
    identity,
    patchBox: () => ({ top: 0, left: 0, bottom: 1, right: 1 }),
  }
}
