import { expect, test } from 'vitest'
import { memorySource } from '../../test/support/memory-source.js'
import { latin1, torchZip } from '../../test/support/torch-file.js'
import type { ByteSource } from './checkpoint.js'
import { openCheckpoint } from './open-checkpoint.js'

const open = (bytes: Uint8Array) => openCheckpoint(memorySource(bytes, 'it'))
const closable = (bytes: Uint8Array) => {
  const closed: string[] = []
  const source: ByteSource & AsyncDisposable = {
    ...memorySource(bytes),
    [Symbol.asyncDispose]: async () => void closed.push('closed'),
  }
  return { source, closed }
}
const valid = torchZip(
  { dict: [['w', { tensor: { key: '0', count: 2, shape: [2] } }]] },
  { 0: new Uint8Array(8) },
)

test('the name does not matter: what is no checkpoint says what it is', async () => {
  await expect(
    openCheckpoint(memorySource(latin1('<!DOCTYPE html><title>x'), 'model.pt')),
  ).rejects.toMatchObject({
    code: 'unknown-format',
    message: expect.stringMatching(/^model\.pt is not a checkpoint but an HTML.*Expected: safetensors/),
  })
})

test('a config instead of a checkpoint is told apart from an index', async () => {
  await expect(open(latin1('{"hidden_size": 384, "model_type": "dinov2"}'))).rejects.toMatchObject({
    code: 'unknown-format',
    message: expect.stringContaining('JSON without a weight_map'),
  })
})

test('other zip archives and TorchScript are refused by what they are', async () => {
  await expect(
    open(torchZip(null, {}, { extra: { 'archive/constants.pkl': latin1('N.') } })),
  ).rejects.toMatchObject({
    code: 'unknown-format',
    message: expect.stringContaining('TorchScript'),
  })
})

test('disposing closes the source; a checkpoint that cannot be opened has closed it', async () => {
  const good = closable(valid)
  const checkpoint = await openCheckpoint(good.source)
  expect(good.closed).toEqual([])
  await checkpoint[Symbol.asyncDispose]()
  expect(good.closed).toEqual(['closed'])

  const bad = closable(latin1('this is no checkpoint'))
  await expect(openCheckpoint(bad.source)).rejects.toThrow('no')
  expect(bad.closed).toEqual(['closed'])
})

test('the signal ends the opening and later reads', async () => {
  await expect(openCheckpoint(memorySource(valid), { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i)
  const controller = new AbortController()
  const checkpoint = await openCheckpoint(memorySource(valid), { signal: controller.signal })
  controller.abort()
  await expect(checkpoint.read('w')).rejects.toThrow(/abort/i)
})

test('unknown names and wrong shapes fail by name', async () => {
  const checkpoint = await open(valid)
  await expect(checkpoint.read('v')).rejects.toMatchObject({ code: 'missing-tensor', tensor: 'v' })
  await expect(checkpoint.read('w', [1, 2])).rejects.toMatchObject({ code: 'wrong-shape', tensor: 'w' })
})
