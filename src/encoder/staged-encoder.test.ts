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

/** Stages that do nothing but tell what is asked of them. */
function tellingStages(calls: string[]): EncoderStages<string, PreparedItem> {
  return {
    description: { identity: {}, width: 1, patchSize: 1, registers: 0, depth: 1, size: [1, 1] } as never,
    prepare: async () => {
      calls.push('prepare')
      return { shape: '1x1', byteLength: 1, batchSize: 1 }
    },
    compute: async () => {
      calls.push('compute')
      return [{ embedding: Float32Array.of(1), grid: { rows: 1, columns: 1 } } as never]
    },
    discard: () => calls.push('discard'),
    [Symbol.asyncDispose]: async () => {
      calls.push('dispose')
      await new Promise((resolve) => setTimeout(resolve, 2))
      calls.push('given back')
    },
  }
}

test('each stage is told as it begins', async () => {
  const calls: string[] = []
  const encoder = new StagedEncoder(tellingStages(calls))
  await encoder.encode('photo', { onProgress: (stage) => calls.push(stage) })
  expect(calls).toEqual(['preparing', 'prepare', 'computing', 'compute'])
})

test.each(['tta', 'preNorm'])('%s is refused where it is neither true nor false', async (option) => {
  const calls: string[] = []
  const encoder = new StagedEncoder(tellingStages(calls))
  const wrong = { [option]: 'yes' }
  await expect(encoder.encode('photo', wrong)).rejects.toThrow(`option ${option} is "yes"`)
  expect(() => encoder.encodeAll(['photo'], wrong)).toThrow(RangeError)
  expect(calls).toEqual([])
})

test('a listener that throws ends the encode, and what was prepared is discarded', async () => {
  const calls: string[] = []
  const onProgress = (stage: string) => {
    if (stage === 'computing') throw new Error('the listener broke')
  }
  await expect(new StagedEncoder(tellingStages(calls)).encode('photo', { onProgress })).rejects.toThrow(
    'broke',
  )
  expect(calls).toEqual(['prepare', 'discard'])
})

test('`await using` waits until everything is given back, `using` does not; either way it happens once', async () => {
  const calls: string[] = []
  {
    await using encoder = new StagedEncoder(tellingStages(calls))
    encoder[Symbol.dispose]()
    expect(calls).toEqual(['dispose'])
  }
  expect(calls).toEqual(['dispose', 'given back'])
})
