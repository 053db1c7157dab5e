import { expect, test } from 'vitest'
import { linear, type Shapes, tinyCheckpoint, vectors } from '../../test/support/tiny-networks.js'
import type { OpenCheckpoint } from './checkpoint.js'
import { withHead } from './with-head.js'

/** Counts how often it is closed. */
function opened(label: string, shapes: Shapes) {
  const closed = { times: 0 }
  const dispose = async () => {
    closed.times++
  }
  const checkpoint: OpenCheckpoint = {
    ...tinyCheckpoint(shapes, { epoch: label }),
    label,
    dropped: [`optimizer of ${label}`],
    [Symbol.asyncDispose]: dispose,
  }
  return { checkpoint, closed }
}

test('the tensors of both are found, each under a name of its own, and both are closed together', async () => {
  const network = opened('network', linear('same', 2, 2))
  const head = opened('head', { ...vectors('first', 1), ...linear('same', 2, 2) })
  const joined = await withHead(network.checkpoint, async () => head.checkpoint)
  expect([...joined.tensors.keys()]).toEqual([
    'same.weight',
    'same.bias',
    'vision_head.first.weight',
    'vision_head.first.bias',
    'vision_head.same.weight',
    'vision_head.same.bias',
  ])
  expect(await joined.read('same.weight')).toEqual(await network.checkpoint.read('same.weight'))
  expect(await joined.read('vision_head.same.weight')).toEqual(await head.checkpoint.read('same.weight'))
  expect(joined).toMatchObject({ label: 'network', head: 'head', metadata: { epoch: 'network' } })
  expect(joined.dropped).toEqual(['optimizer of network', 'optimizer of head'])
  await joined[Symbol.asyncDispose]()
  expect([network.closed.times, head.closed.times]).toEqual([1, 1])
})

test('a network that has a head itself takes no other, and both are closed', async () => {
  const network = opened('network', vectors('vision_head.ln_final', 2))
  const head = opened('head', vectors('ln_final', 2))
  await expect(withHead(network.checkpoint, async () => head.checkpoint)).rejects.toMatchObject({
    code: 'contradiction',
  })
  expect([network.closed.times, head.closed.times]).toEqual([1, 1])
})

test('a network whose head cannot be opened is closed', async () => {
  const network = opened('network', vectors('first', 1))
  const trouble = new Error('no such file')
  await expect(withHead(network.checkpoint, () => Promise.reject(trouble))).rejects.toBe(trouble)
  expect(network.closed.times).toBe(1)
})
