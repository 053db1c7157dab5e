import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { MINI } from '../../../test/support/mini.js'
import { loadModel } from './birder.js'

const ON_WASM = { engine: 'wasm', threads: 3 } as const
const threads = () => readdirSync('/proc/self/task').length

/** The system may count a thread for a moment after it has ended. */
async function threadsLeft(): Promise<number> {
  for (let last = threads(); ; ) {
    await sleep(50)
    const now = threads()
    if (now === last) return now
    last = now
  }
}

test.runIf(process.platform === 'linux')('a network owns its engine: its threads end with it', async () => {
  const first = await loadModel(MINI, ON_WASM)
  await first[0][Symbol.asyncDispose]()
  const before = await threadsLeft()
  const [net, info] = await loadModel(MINI, ON_WASM)
  expect(threads()).toBe(before + 3)
  expect(Object.keys(info.classToIdx)).toHaveLength(net.numClasses)
  await net[Symbol.asyncDispose]()
  expect(await threadsLeft()).toBe(before)
  net[Symbol.dispose]()
})

test.runIf(process.platform === 'linux')(
  'a load that fails leaves no threads, wherever it fails',
  async () => {
    await loadModel('gone.pt', ON_WASM).catch(() => {})
    const before = await threadsLeft()
    await expect(loadModel('gone.pt', ON_WASM)).rejects.toMatchObject({ code: 'not-found' })
    await expect(loadModel(MINI, { ...ON_WASM, newSize: [113, 112] })).rejects.toMatchObject({
      code: 'wrong-size',
    })
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(loadModel(MINI, { ...ON_WASM, signal })).rejects.toThrow('enough')
    expect(await threadsLeft()).toBe(before)
  },
)
