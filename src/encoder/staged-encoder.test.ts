import { expect, test } from 'vitest'
import { type EncoderStages, type PreparedItem, StagedEncoder } from './staged-encoder.js'

test('an image that was given up while it was prepared is discarded, and never computed', async () => {
  const abort = new AbortController()
  const calls: string[] = []
  const item: PreparedItem = { shape: '1x1', byteLength: 1, batchSize: 1 }
  const stages: EncoderStages<string, PreparedItem> = {
    description: { identity: {}, width: 1, patchSize: 1, registers: 0, depth: 1, size: [1, 1] } as never,
    prepare: async () => {
      abort.abort(new Error('enough'))
      return item
    },
    compute: async () => {
      calls.push('compute')
      return []
    },
    discard: () => calls.push('discard'),
    async [Symbol.asyncDispose]() {},
  }
  const running = new StagedEncoder(stages).encode('photo', { signal: abort.signal })
  await expect(running).rejects.toThrow('enough')
  expect(calls).toEqual(['discard'])
})
