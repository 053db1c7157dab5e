import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeAll, type Stages } from './encode-all.js'
import type { EncodeAllOptions, EncodeResult, Features } from './types.js'

interface Prepared {
  readonly source: number
  readonly shape: string
  readonly byteLength: number
}

/** Sources are numbers: negative ones cannot be decoded, the last digit is the shape. */
function stages(
  log: { batches: number[][]; most: number; under: number } = { batches: [], most: 0, under: 0 },
) {
  const value: Stages<number, Prepared> = {
    batchSize: () => 3,
    async prepare(source) {
      log.under++
      log.most = Math.max(log.most, log.under)
      await new Promise((resolve) => setTimeout(resolve, source % 3))
      if (source < 0) throw new Error(`cannot decode ${source}`)
      return { source, shape: `${source % 10}`, byteLength: 100 }
    },
    async compute(batch) {
      expect(new Set(batch.map(({ shape }) => shape)).size).toBe(1)
      log.batches.push(batch.map(({ source }) => source))
      return batch.map(({ source }) => ({ embedding: Float32Array.of(source) }) as unknown as Features)
    },
  }
  return { value, log }
}

async function collect(
  sources: Iterable<number> | AsyncIterable<number>,
  options: EncodeAllOptions = {},
  s = stages(),
) {
  const results: EncodeResult<number>[] = []
  for await (const result of encodeAll(sources, s.value, options)) {
    s.log.under--
    results.push(result)
  }
  return { results, log: s.log }
}

test('whatever the shapes, errors and batch size, each image comes back once, in order, with its own result', async () => {
  const options = fc.record({ batch: fc.integer({ min: 1, max: 5 }), maxBytes: fc.constantFrom(1, 250, 1e9) })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: -5, max: 30 }), { maxLength: 25 }),
      options,
      async (sources, chosen) => {
        const { results } = await collect(sources, chosen)
        expect(results.map(({ index }) => index)).toEqual(sources.map((_, i) => i))
        results.forEach(({ source, features, error }, i) => {
          expect(source).toBe(sources[i])
          if (source < 0) expect(error?.message).toBe(`cannot decode ${source}`)
          else expect(features?.embedding[0]).toBe(source)
        })
      },
    ),
    { numRuns: 60 },
  )
})

test('images of one shape are grouped into full batches', async () => {
  const { log } = await collect([10, 20, 30, 40, 50, 60], { batch: 3 })
  expect(log.batches.map((batch) => batch.length)).toEqual([3, 3])
})

test('`ready` order says the index and loses nothing', async () => {
  const sources = [11, 12, 13, 14, 15, 11, 12, 13]
  const { results } = await collect(sources, { batch: 2, order: 'ready' })
  expect(results.map(({ index }) => index).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  for (const { index, source } of results) expect(source).toBe(sources[index])
})

test('however long the list, only a window of images is under way', async () => {
  function* endless() {
    for (let i = 0; i < 500; i++) yield (i * 7) % 30
  }
  const { log } = await collect(endless(), { batch: 2 })
  expect(log.most).toBeLessThanOrEqual(4 * 2 + 2)
})

test('a slow stream does not keep what is there from being computed', async () => {
  let release: () => void = () => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  async function* slow() {
    yield 10
    await gate
    yield 20
  }
  const results = encodeAll(slow(), stages().value, { batch: 8 })
  expect((await results.next()).value).toMatchObject({ index: 0 })
  release()
  expect((await results.next()).value).toMatchObject({ index: 1 })
  expect((await results.next()).done).toBe(true)
})

describe('ending early', () => {
  test('an abort throws its reason, at once, also while the source hangs', async () => {
    const abort = new AbortController()
    const hanging = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise<IteratorResult<number>>(() => {}) }),
    }
    const results = encodeAll(hanging, stages().value, { signal: abort.signal })
    setTimeout(() => abort.abort(new Error('enough')), 10)
    await expect(results.next()).rejects.toThrow('enough')
  })

  test('a reader that stops ends the source too', async () => {
    let ended = false
    function* source() {
      try {
        while (true) yield 10
      } finally {
        ended = true
      }
    }
    for await (const { index } of encodeAll(source(), stages().value, {})) if (index === 4) break
    expect(ended).toBe(true)
  })

  test('a list that breaks midway throws what broke it', async () => {
    function* broken() {
      yield 10
      throw new Error('the list broke')
    }
    await expect(collect(broken())).rejects.toThrow('the list broke')
  })
})

test('when a run fails, its images fail and the others go on', async () => {
  const { value } = stages()
  const compute: typeof value.compute = async (batch, signal) => {
    if (batch.some(({ source }) => source === 13)) throw new Error('the engine stumbled')
    return value.compute(batch, signal)
  }
  const { results } = await collect(
    [10, 13, 20],
    { batch: 1 },
    { value: { ...value, compute }, log: stages().log },
  )
  expect(results.map(({ error }) => error?.message)).toEqual([undefined, 'the engine stumbled', undefined])
})
