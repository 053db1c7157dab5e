/** Proves pairs on threads, whose file is of the built code. */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { OwnLane } from '../../../collection/duplicates/proof-lane.js'
import { decodeImage } from '../decode-image.js'
import { proofThreads } from './proof-threads.js'

const photo = (name: string) =>
  readFileSync(join(import.meta.dirname, '../../../../examples/photos', `${name}.jpg`))
const pixelsOf = async (bytes: Buffer) => {
  const image = await decodeImage(bytes)
  return { image, height: image.height, width: image.width }
}
/** Are small, since each thread begins slowly. */
const small = (name: string, width: number) => sharp(photo(name)).resize(width).jpeg().toBuffer()
const original = await pixelsOf(await small('shoes-1', 200))
const smaller = await pixelsOf(await small('shoes-1', 150))
const other = await pixelsOf(await small('hat-2', 150))

test('threads say of each pair what this thread says, and of a few pairs none is started', async () => {
  await using few = proofThreads(2)
  expect(few.lanes).toEqual([expect.any(OwnLane)])
  await using threads = proofThreads(16)
  const lanes = [new OwnLane(), ...threads.lanes]
  expect(lanes).toHaveLength(1 + Math.min(2, availableParallelism()))
  const said = await Promise.all(
    lanes.map(async (lane) => {
      lane.add('original', original)
      lane.add('smaller', smaller)
      lane.add('other', other)
      lane.drop('other')
      lane.add('other', other)
      const pairs = [lane.prove('original', 'smaller'), lane.prove('other', 'original')]
      return await Promise.all(pairs)
    }),
  )
  expect(said[0]?.[0]?.shareOfSecond).toBeGreaterThan(0.98)
  expect(said[0]?.[1]).toBe(null)
  for (const one of said) expect(one).toEqual(said[0])
})

test('who waits for a thread that ends is told', async () => {
  const threads = proofThreads(16)
  const [lane] = threads.lanes
  lane?.add('original', original)
  const proof = expect(lane?.prove('original', 'original')).rejects.toThrow('ended with code')
  await threads[Symbol.asyncDispose]()
  await proof
  await expect(lane?.prove('original', 'original')).rejects.toThrow('ended with code')
})
