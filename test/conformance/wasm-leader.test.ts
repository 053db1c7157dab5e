/**
 * Runs the leader of the WebAssembly engine in this thread, where it is otherwise a worker's: what it answers, in which order, and that memory which was
 * given back is handed out again.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createReferenceEngine } from '../../src/engine/reference/reference-engine.js'
import type { WasmWorkers } from '../../src/engine/wasm/channel.js'
import { Heap, MOST_BYTES, type WasmMemory } from '../../src/engine/wasm/heap.js'
import type { Kernels } from '../../src/engine/wasm/kernels.js'
import { Leader } from '../../src/engine/wasm/leader.js'
import type { Reply, Request } from '../../src/engine/wasm/protocol.js'
import { createWasmEngineOn, type WasmPrecision } from '../../src/engine/wasm/wasm-engine.js'
import { compileKernels } from '../../src/platform/node/wasm/compile-kernels.js'
import { newMemory } from '../../src/platform/node/wasm/thread-start.js'
import { outputOf, planOf, pseudoRandom, relativeError, tower, weights } from './one-step.js'

/** Makes a leader with a memory of its own, which refuses to grow while `isFull` says so. */
function makeLeader(send: (reply: Reply) => void, isFull: () => boolean = () => false): Leader {
  const memory = newMemory(false)
  const instance = new WebAssembly.Instance(compileKernels({ relaxed: false, shared: false }), {
    env: { memory },
  })
  const limited: WasmMemory = {
    get buffer() {
      return memory.buffer
    },
    grow(pages) {
      if (isFull()) throw new RangeError('no more')
      return memory.grow(pages)
    },
  }
  return new Leader({
    kernels: instance.exports as unknown as Kernels,
    memory: limited,
    threads: 1,
    send,
    pause: () => new Promise((resolve) => setImmediate(resolve)),
  })
}

function makeEngine(precision: WasmPrecision, isFull?: () => boolean) {
  let answer: (reply: Reply) => void = () => {}
  const leader = makeLeader((reply) => answer(reply), isFull)
  const workers: WasmWorkers = {
    threads: 1,
    description: 'in this thread',
    post: (request) => leader.receive(request),
    listen: (onReply) => {
      answer = onReply
    },
    keepAlive: () => {},
    end: async () => {},
  }
  return createWasmEngineOn(workers, precision)
}

/** Asks requests one right after the other and resolves to the replies, in the order in which they come. */
async function repliesTo(requests: readonly Request[], isFull?: () => boolean): Promise<Reply[]> {
  const replies: Reply[] = []
  const expected = requests.filter(({ kind }) => kind !== 'cancel').length
  await new Promise<void>((resolve) => {
    const leader = makeLeader((reply) => {
      replies.push(reply)
      if (replies.length === expected) resolve()
    }, isFull)
    for (const request of requests) leader.receive(request)
  })
  return replies
}

test.each([
  ['float32', 1e-6],
  ['int8', 0.06],
] as const)(
  '%s: a program computes what the reference does, for one image and for more',
  async (precision, most) => {
    const { plan, output } = tower(3, 5, 40)
    using engine = makeEngine(precision)
    using model = await engine.load(plan, weights)
    using program = model.compile(plan, [output])
    using reference = await createReferenceEngine().load(plan, weights)
    using truth = reference.compile(plan, [output])
    for (const batch of [1, 7, 2]) {
      const pixels = pseudoRandom(batch * 5 * 40, batch)
      const expected = outputOf(await truth.run(pixels, { batch }), output)
      const actual = outputOf(await program.run(pixels, { batch }), output)
      expect(relativeError(actual, expected)).toBeLessThanOrEqual(most)
    }
  },
)

test('int8: sums of the largest numbers there are do not overflow at any depth', async () => {
  const [depth, columns] = [8192, 8]
  const product = { op: 'linear', input: 'x', output: 'y', weight: 'w', bias: null } as const
  const { plan, output } = planOf([1, depth], [product], { y: [1, columns] }, { w: [columns, depth] })
  using engine = makeEngine('int8')
  using model = await engine.load(plan, { read: async () => new Float32Array(columns * depth).fill(1) })
  using program = model.compile(plan, [output])
  const actual = outputOf(await program.run(new Float32Array(depth).fill(1)), output)
  expect(relativeError(actual, new Float32Array(columns).fill(depth))).toBeLessThanOrEqual(1e-5)
})

test('a profile has the time of each operation', async () => {
  const { plan, output } = tower(4, 30, 200)
  using engine = makeEngine('float32')
  using model = await engine.load(plan, weights)
  using program = model.compile(plan, [output])
  const { threads, operations } = await program.profile(pseudoRandom(30 * 200, 1))
  expect(threads).toBe(1)
  expect(operations.length).toBeGreaterThanOrEqual(4)
  expect(operations.every(({ seconds }) => seconds >= 0)).toBe(true)
  expect(await engine.measurePeak()).toBeGreaterThan(1e6)
})

test('a run that is given up ends with the reason, and the next one is right', async () => {
  const { plan, output } = tower(60, 256, 256)
  using engine = makeEngine('float32')
  using model = await engine.load(plan, weights)
  using program = model.compile(plan, [output])
  const pixels = pseudoRandom(256 * 256, 1)
  const expected = outputOf(await program.run(pixels), output)
  const controller = new AbortController()
  const given = program.run(pixels, { signal: controller.signal })
  // The leader has begun when this is called, and lets it in between two operations.
  setImmediate(() => controller.abort(new Error('enough')))
  await expect(given).rejects.toThrow('enough')
  expect(outputOf(await program.run(pixels), output)).toEqual(expected)
})

test('requests are answered in the order in which they came, and a cancelled run that has ended is none', async () => {
  const replies = await repliesTo([
    { id: 0, kind: 'allocate', bytes: 100 },
    { id: 1, kind: 'cancel', run: 7 },
    { id: 2, kind: 'allocate', bytes: 100 },
    { id: 3, kind: 'release', address: 4096 },
    { id: 4, kind: 'allocate', bytes: 60 },
  ])
  expect(replies.map(({ id }) => id)).toEqual([0, 2, 3, 4])
  // The first place was given back, and is taken again.
  expect(replies).toEqual([
    { id: 0, answer: 4096 },
    { id: 2, answer: 4224 },
    { id: 3, answer: null },
    { id: 4, answer: 4096 },
  ])
})

test('memory that is refused is a failure of the request that wanted it', async () => {
  const runOf = (id: number): Request => ({
    id,
    kind: 'run',
    program: 5,
    weights: 0,
    batch: 1,
    pixels: new ArrayBuffer(4),
    outputLengths: [1],
    timed: false,
  })
  const replies = await repliesTo(
    [
      { id: 0, kind: 'allocate', bytes: 2 ** 20 },
      {
        id: 1,
        kind: 'compile',
        program: 5,
        ops: new ArrayBuffer(2 ** 20),
        constants: new ArrayBuffer(4),
        arenaFloats: 1,
      },
      runOf(2),
      { id: 3, kind: 'discard', program: 5 },
      runOf(4),
      { id: 5, kind: 'allocate', bytes: 1000 },
    ],
    () => true,
  )
  const outcomes = replies.map((reply) => ('failure' in reply ? reply.failure.code : reply.answer))
  // A program that found no room says so when it is run, and one that was let go of is gone.
  expect(outcomes).toEqual(['out-of-memory', null, 'out-of-memory', null, 'disposed', 4096])
})

test('models and programs that come and go leave the memory as large as it was', async () => {
  const { plan, output } = tower(2, 16, 128)
  let grown = 0
  using engine = makeEngine('float32', () => {
    grown++
    return false
  })
  const live = async () => {
    using model = await engine.load(plan, weights)
    using program = model.compile(plan, [output])
    await program.run(pseudoRandom(16 * 128, 1))
  }
  await live()
  const first = grown
  expect(first).toBeGreaterThan(0)
  for (let life = 0; life < 20; life++) await live()
  expect(grown).toBe(first)
})

interface Taken {
  readonly address: number
  readonly bytes: number
}

test('a heap hands out pieces that never overlap, and has them all again in the end', () => {
  const step = fc.record({
    bytes: fc.integer({ min: 0, max: 200_000 }),
    release: fc.nat(),
    isRelease: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let size = 65536
      const memory: WasmMemory = {
        get buffer() {
          return { byteLength: size } as ArrayBuffer
        },
        grow(pages) {
          size += pages * 65536
          return 0
        },
      }
      const heap = new Heap(memory, 4000)
      const taken: Taken[] = []
      for (const { bytes, release, isRelease } of steps) {
        if (isRelease && taken.length > 0) {
          const [gone] = taken.splice(release % taken.length, 1)
          if (gone !== undefined) heap.release(gone.address)
          continue
        }
        const address = heap.allocateOrNull(bytes)
        if (address === null) return expect.unreachable('this memory grows')
        expect(address % 64).toBe(0)
        expect(address).toBeGreaterThanOrEqual(4000)
        expect(address + bytes).toBeLessThanOrEqual(size)
        for (const other of taken) {
          expect(address + bytes <= other.address || other.address + other.bytes <= address).toBe(true)
        }
        taken.push({ address, bytes: Math.max(bytes, 1) })
      }
      for (const { address } of taken) heap.release(address)
      const whole = size - 4032
      expect(heap.allocateOrNull(whole)).toBe(4032)
    }),
  )
})

test('a heap gives nothing beyond what 32 bits can address, nor what the system refuses', () => {
  const refusing: WasmMemory = {
    buffer: new ArrayBuffer(65536),
    grow() {
      throw new RangeError('no more')
    },
  }
  const heap = new Heap(refusing, 0)
  expect(heap.allocateOrNull(MOST_BYTES)).toBeNull()
  expect(heap.allocateOrNull(65537)).toBeNull()
  expect(heap.allocateOrNull(65536)).toBe(0)
  // What was never handed out cannot be given back.
  heap.release(64)
  expect(heap.allocateOrNull(1)).toBeNull()
})
