import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeAll, type Stages } from './encode-all.js'
import type { EncodeAllOptions, EncodeAllProgress, EncodeResult, Features } from './types.js'

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

test.each([
  ['a string', 'photo.jpg'],
  ['the bytes of one', new Uint8Array(3)],
  ['an object that is no list', {}],
])('%s is one image or none, and is refused with what does it', async (found, sources) => {
  await expect(collect(sources as never)).rejects.toThrow(new RegExp(`got ${found}.*encode\\.`))
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

const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

test('files that take long to be read are read ahead, while no more are decoded than before', async () => {
  let [reading, mostReading, decoding, mostDecoding] = [0, 0, 0, 0]
  const value: Stages<number, Prepared> = {
    ...stages().value,
    decoders: 2,
    readsAhead: true,
    async prepare(source, _signal, onRead) {
      mostReading = Math.max(mostReading, ++reading)
      await sleep(20)
      reading--
      await onRead()
      mostDecoding = Math.max(mostDecoding, ++decoding)
      await sleep(2)
      decoding--
      return { source, shape: '', byteLength: 1 }
    },
    async compute(batch) {
      await sleep(10 * batch.length)
      return batch.map(() => ({}) as Features)
    },
  }
  const sources = Array.from({ length: 60 }, (_, i) => i)
  for await (const { error } of encodeAll(sources, value, { batch: 1 })) expect(error).toBeUndefined()
  expect(mostReading).toBeGreaterThan(2)
  expect(mostReading).toBeLessThanOrEqual(6)
  expect(mostDecoding).toBe(2)
})

test('all decoders are at work while the engine waits, and two while it has enough to do', async () => {
  let [under, running, most] = [0, 0, 0]
  const busy: number[] = []
  const value: Stages<number, Prepared> = {
    ...stages().value,
    decoders: 5,
    async prepare(source) {
      under++
      most = Math.max(most, under)
      await sleep(10)
      under--
      return { source, shape: '', byteLength: 1 }
    },
    async compute(batch) {
      running++
      await sleep(15)
      // Those that were begun while it waited are done by now.
      if (running === 2) busy.push(under)
      await sleep(100)
      running--
      return batch.map(() => ({}) as Features)
    },
  }
  const sources = Array.from({ length: 24 }, (_, i) => i)
  for await (const { error } of encodeAll(sources, value, { batch: 3 })) expect(error).toBeUndefined()
  expect(most).toBe(5)
  expect(Math.max(...busy)).toBe(2)
})

test.each(['reading', 'decoding', 'computing'] as const)(
  '%s is told as what limits the speed',
  async (slow) => {
    const sleepFor = (activity: string) => sleep(activity === slow ? 20 : 0)
    const value: Stages<number, Prepared> = {
      ...stages().value,
      async prepare(source, _signal, onRead) {
        await sleepFor('reading')
        onRead()
        await sleepFor('decoding')
        return { source, shape: '', byteLength: 1 }
      },
      async compute(batch) {
        await sleepFor('computing')
        return batch.map(() => ({}) as Features)
      },
    }
    let seconds = { computing: 0, decoding: 0, reading: 0 }
    const began = performance.now()
    const onProgress = (progress: EncodeAllProgress) => {
      seconds = progress.seconds
    }
    for await (const _ of encodeAll([1, 2, 3, 4, 5, 6], value, { batch: 1, onProgress })) {
      // A reader that takes its time is in none of the sums.
      if (slow === 'computing') await sleep(5)
    }
    const [first] = Object.entries(seconds).sort(([, a], [, b]) => b - a)
    expect(first?.[0]).toBe(slow)
    expect(first?.[1]).toBeGreaterThan(0.04)
    expect(seconds.computing + seconds.decoding + seconds.reading).toBeLessThanOrEqual(
      (performance.now() - began) / 1000,
    )
  },
)

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

describe('an image with a signal of its own', () => {
  test('that was given up before it is taken is never prepared; the others go on', async () => {
    const { value } = stages()
    const prepared: number[] = []
    const prepare: typeof value.prepare = (source, signal, onRead) => {
      prepared.push(source)
      return value.prepare(source, signal, onRead)
    }
    const signalOf = (source: number) => (source === 20 ? AbortSignal.abort(new Error('enough')) : undefined)
    const results: EncodeResult<number>[] = []
    for await (const result of encodeAll([10, 20, 30], { ...value, prepare }, { signalOf }))
      results.push(result)
    expect(results.map(({ error }) => error?.message)).toEqual([undefined, 'enough', undefined])
    expect(prepared).toEqual([10, 30])
  })

  test('that is given up while it is prepared ends that preparation with its reason', async () => {
    const own = new AbortController()
    const { value } = stages()
    const prepare: typeof value.prepare = (source, signal, onRead) => {
      if (source !== 20) return value.prepare(source, signal, onRead)
      setTimeout(() => own.abort('no error, but a text'), 5)
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))))
    }
    const signalOf = (_: number, index: number) => (index === 1 ? own.signal : undefined)
    const results: EncodeResult<number>[] = []
    for await (const result of encodeAll([10, 20, 30], { ...value, prepare }, { signalOf }))
      results.push(result)
    expect(results.map(({ error }) => error?.message)).toEqual([undefined, 'no error, but a text', undefined])
  })

  test('that is given up while it waits for others of its shape is discarded and not computed', async () => {
    const own = new AbortController()
    const { value, log } = stages()
    const discarded: number[] = []
    const compute: typeof value.compute = async (items, signal) => {
      // The one of another shape has been prepared by now, and waits until no run is under way.
      await expect.poll(() => prepared).toContain(11)
      own.abort(new Error('enough'))
      return value.compute(items, signal)
    }
    const prepared: number[] = []
    const prepare: typeof value.prepare = async (source, signal, onRead) => {
      const item = await value.prepare(source, signal, onRead)
      prepared.push(source)
      return item
    }
    const options = { batch: 2, signalOf: (source: number) => (source === 11 ? own.signal : undefined) }
    const holding = { ...value, prepare, compute, discard: ({ source }: Prepared) => discarded.push(source) }
    const results: EncodeResult<number>[] = []
    for await (const result of encodeAll([10, 11, 20], holding, options)) results.push(result)
    expect(results.map(({ error }) => error?.message)).toEqual([undefined, 'enough', undefined])
    expect(log.batches.flat()).not.toContain(11)
    expect(discarded).toEqual([11])
  })

  test.each([
    ['alone in its run, it ends the run', 1, [undefined, 'stopped early']],
    ['among others, it lets the run go on for them', 2, [undefined, 'the run went on']],
  ])('that is given up while it is computed: %s', async (_, batch, [, how]) => {
    const own = new AbortController()
    const { value } = stages()
    let seen = 'the run went on'
    const compute: typeof value.compute = async (items, signal) => {
      if (items.some(({ source }) => source === 20)) {
        own.abort(new Error('enough'))
        await new Promise((resolve) => setTimeout(resolve, 5))
        if (signal.aborted) seen = 'stopped early'
        signal.throwIfAborted()
      }
      return value.compute(items, signal)
    }
    const signalOf = (source: number) => (source === 20 ? own.signal : undefined)
    const results: EncodeResult<number>[] = []
    for await (const result of encodeAll([10, 20], { ...value, compute }, { batch, signalOf }))
      results.push(result)
    expect(results.map(({ error }) => error?.message)).toEqual([undefined, 'enough'])
    expect(seen).toBe(how)
  })

  test('whichever are given up whenever, each image comes back once, in order, with features or an error', async () => {
    const givenUp = fc.array(fc.record({ source: fc.nat(30), after: fc.integer({ min: -1, max: 4 }) }))
    await fc.assert(
      fc.asyncProperty(givenUp, fc.integer({ min: 1, max: 4 }), async (images, batch) => {
        const signalOf = (_: number, index: number) => {
          const after = images[index]?.after ?? -1
          if (after < 0) return undefined
          const abort = new AbortController()
          setTimeout(() => abort.abort(new Error('enough')), after)
          return abort.signal
        }
        const { results } = await collect(
          images.map(({ source }) => source),
          { batch, signalOf: signalOf as never },
        )
        expect(results.map(({ index }) => index)).toEqual(images.map((_, i) => i))
        for (const { index, source, features, error } of results) {
          if (error !== undefined) expect([error.message, images[index]?.after]).not.toContain(-1)
          else expect(features.embedding[0]).toBe(source)
        }
      }),
      { numRuns: 40 },
    )
  })
})

describe('progress', () => {
  test('counts only grow, never run ahead of each other, and end with what there was', async () => {
    const seen: EncodeAllProgress[] = []
    const sources = [10, -3, 20, 11, -5, 30]
    await collect(sources, { batch: 2, onProgress: (progress) => seen.push(progress) })
    expect(seen.at(-1)).toMatchObject({ pulled: 6, prepared: 4, done: 4, failed: 2 })
    for (const [i, { pulled, prepared, done, failed }] of seen.entries()) {
      const before = seen[i - 1] ?? { pulled: 0, prepared: 0, done: 0, failed: 0 }
      expect(pulled + prepared + done + failed).toBeGreaterThan(
        before.pulled + before.prepared + before.done + before.failed,
      )
      expect(prepared).toBeLessThanOrEqual(pulled)
      expect(done).toBeLessThanOrEqual(prepared)
      expect(done + failed).toBeLessThanOrEqual(pulled)
    }
  })

  test('what the listener throws, the reader is thrown, and the source ends', async () => {
    let ended = false
    function* source() {
      try {
        while (true) yield 10
      } finally {
        ended = true
      }
    }
    const onProgress = () => {
      throw new Error('the listener broke')
    }
    await expect(collect(source(), { onProgress })).rejects.toThrow('the listener broke')
    expect(ended).toBe(true)
  })
})

test('nothing is kept of images that have passed: 100,000 of them leave no trace', () => {
  const run = spawnSync(process.execPath, ['--expose-gc', 'bench/encode-all-memory.mjs', '100000'], {
    encoding: 'utf8',
  })
  expect(run.stderr).toBe('')
  const { images, grownMegabytes } = JSON.parse(run.stdout)
  expect(images).toBe(100_000)
  // 0.1 kB an image would be 8 MB.
  expect(grownMegabytes).toBeLessThan(4)
})
