import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { MINI } from '../../../test/support/mini.js'
import { loadModel } from './birder.js'

const ON_WASM = { engine: 'wasm', threads: 3 } as const
const threads = () => readdirSync('/proc/self/task').length

test.runIf(process.platform === 'linux')('a network owns its engine: its threads end with it', async () => {
  const first = await loadModel(MINI, ON_WASM)
  await first[0][Symbol.asyncDispose]()
  const before = threads()
  const [net, info] = await loadModel(MINI, ON_WASM)
  expect(threads()).toBe(before + 3)
  expect(Object.keys(info.classToIdx)).toHaveLength(net.numClasses)
  await net[Symbol.asyncDispose]()
  expect(threads()).toBe(before)
  net[Symbol.dispose]()
})

test.runIf(process.platform === 'linux')(
  'a load that fails leaves no threads, wherever it fails',
  async () => {
    await loadModel('gone.pt', ON_WASM).catch(() => {})
    const before = threads()
    await expect(loadModel('gone.pt', ON_WASM)).rejects.toMatchObject({ code: 'not-found' })
    await expect(loadModel(MINI, { ...ON_WASM, newSize: [113, 112] })).rejects.toMatchObject({
      code: 'wrong-size',
    })
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(loadModel(MINI, { ...ON_WASM, signal })).rejects.toThrow('enough')
    expect(threads()).toBe(before)
  },
)
