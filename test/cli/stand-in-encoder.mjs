/**
 * Stands in for an encoder in tests of everything around it: real files in, real numbers out, made from the file's bytes instead of a network's weights.
 * It keeps to the contract of `Encoder`: results in the order of the sources, a bad image fails alone, an abort throws.
 */
import { createHash } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

export const WIDTH = 5
export const ROWS = 2
export const COLUMNS = 3

/** See stand-in-encoder.d.mts. */
export function standInEncoder({
  delayMs = 0,
  log,
  labels = null,
  weights = 'aaaabbbbcccc'.padEnd(64, '0'),
} = {}) {
  const settings = '{"precision":"float64"}'
  const digest = createHash('sha256').update(`${weights}\n${settings}`).digest('hex')
  const told = { model: 'stand-in', engine: 'reference', precision: 'float64', recipe: 'bytes' }
  return {
    identity: { digest, weights, settings, ...told },
    width: WIDTH,
    embedding: 'class',
    embeddingWidth: WIDTH,
    labels,
    classes: labels === null ? null : labels.length,
    patchSize: 14,
    registers: 1,
    depth: 2,
    attends: { heads: 3, classToken: true, probeHeads: null, exact: true },
    size: [ROWS * 14, COLUMNS * 14],
    async *encodeAll(sources, { signal, preNorm, layers } = {}) {
      let index = 0
      for await (const source of sources) {
        signal?.throwIfAborted()
        if (delayMs > 0) await sleep(delayMs, undefined, { signal })
        const given = typeof source === 'function' ? source().data : source
        const bytes = typeof given === 'string' ? await readFile(given).catch((error) => error) : given
        if (bytes instanceof Error) {
          yield { index: index++, source, error: bytes }
          continue
        }
        if (Buffer.from(bytes).includes('broken')) {
          yield { index: index++, source, error: new Error('this is no image:\nit says so itself') }
          continue
        }
        if (log !== undefined) appendFileSync(log, `${typeof source === 'function' ? 'pixels' : source}\n`)
        const logits = labels === null ? {} : { logits: numbers(bytes, 'logits', labels.length) }
        yield {
          index: index++,
          source,
          features: { ...features(this.identity, bytes, preNorm, layers), ...logits },
        }
      }
    },
    [Symbol.dispose]() {},
    async [Symbol.asyncDispose]() {},
  }
}

/** Gives what the stand-in finds in an image of these bytes. */
export function embeddingOf(bytes) {
  return numbers(bytes, 'embedding', WIDTH)
}

function features(identity, bytes, preNorm = false, layers = []) {
  const grid = { rows: ROWS, columns: COLUMNS }
  return {
    embedding: embeddingOf(bytes),
    patches: numbers(bytes, 'patches', ROWS * COLUMNS * WIDTH),
    registers: numbers(bytes, 'registers', WIDTH),
    grid,
    ...(preNorm ? { preNorm: numbers(bytes, 'pre-norm', ROWS * COLUMNS * WIDTH) } : {}),
    layers: new Map(
      layers.map((layer) => [layer, numbers(bytes, `layer ${layer}`, (2 + ROWS * COLUMNS) * WIDTH)]),
    ),
    imageSize: [20, 30],
    orientation: { found: 1, applied: true },
    identity,
    patchBox: () => ({ top: 0, left: 0, bottom: 1, right: 1 }),
  }
}

function numbers(bytes, what, length) {
  const values = new Float32Array(length)
  for (let i = 0; i < length; i++) {
    const hash = createHash('sha256').update(bytes).update(`${what} ${i}`).digest()
    values[i] = hash.readInt32LE(0) / 2 ** 28
  }
  return values
}
