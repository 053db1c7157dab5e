import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { plainScorer } from '../../../numerics/row-scorer.js'
import { seededRandom } from '../../../numerics/seeded-random.js'
import { toHalf } from '../../../tensor/float16.js'
import { carryVectorFile, openVectorFile, type VectorBlock, writeVectorFile } from './vector-file.js'

const WIDTH = 6
const state = { table: 'photos', version: 7, width: WIDTH }
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumage-vectors-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const random = seededRandom(3)
const halves = toHalf(Float32Array.from({ length: 20 * WIDTH }, () => random() - 0.5))
const ids = Array.from({ length: 20 }, (_, i) => (i * 7919).toString(16).padStart(32, 'f'))
async function* blocks(): AsyncGenerator<VectorBlock> {
  yield { ids: ids.slice(0, 13), halves: halves.subarray(0, 13 * WIDTH) }
  yield { ids: ids.slice(13), halves: halves.subarray(13 * WIDTH) }
}
const path = () => join(folder, 'vectors-7.f16')

test('what was written is there again, is found in, and lies as NumPy reads it', async () => {
  await writeVectorFile(folder, state, 20, blocks())
  const file = await openVectorFile(folder, state)
  expect(file?.ids).toEqual(ids)
  const bytes = new Uint8Array(halves.buffer)
  expect(await file?.rows.read(0, bytes.length)).toEqual(Buffer.from(bytes))
  const query = Float32Array.from({ length: WIDTH }, (_, i) => i - 2)
  const expected = await plainScorer.nearestRows(query, [{ dtype: 'F16', bytes }], 5)
  if (file === null) throw new Error('The file is there.')
  expect(await plainScorer.nearestRows(query, [{ dtype: 'F16', bytes: file.rows }], 5)).toEqual(expected)
  await file[Symbol.asyncDispose]()
  const text = readFileSync(path()).toString('latin1')
  expect(text.slice(0, 8)).toBe('\x93NUMPY\x01\x00')
  expect(text.slice(10, 4096).trimEnd()).toBe("{'descr': '<f2', 'fortran_order': False, 'shape': (20, 6), }")
})

test('a file of no rows is one', async () => {
  await writeVectorFile(folder, state, 0, (async function* () {})())
  await using file = await openVectorFile(folder, state)
  expect(file?.ids).toEqual([])
})

test('one that is cut off at any place, is longer, or is of something else, is none', async () => {
  await writeVectorFile(folder, state, 20, blocks())
  const whole = readFileSync(path())
  for (let length = whole.length - 1; length > 0; length -= 13) {
    truncateSync(path(), length)
    expect(await openVectorFile(folder, state)).toBeNull()
  }
  const otherIds = Buffer.from(whole)
  otherIds[4096 + 20 * WIDTH * 2 + 5] ^= 1
  for (const bytes of [
    Buffer.concat([whole, Buffer.from('x')]),
    otherIds,
    Buffer.alloc(0),
    Buffer.alloc(5000),
  ]) {
    writeFileSync(path(), bytes)
    expect(await openVectorFile(folder, state)).toBeNull()
  }
  writeFileSync(path(), whole)
  for (const other of [{ table: 'others' }, { version: 8 }, { width: 3 }])
    expect(await openVectorFile(folder, { ...state, ...other })).toBeNull()
})

test('a version has one file, and a version with the same rows takes it over', async () => {
  await writeVectorFile(folder, state, 20, blocks())
  writeFileSync(join(folder, 'vectors-3.f16.tmp'), 'left by a kill')
  await writeVectorFile(folder, { ...state, version: 9 }, 20, blocks())
  expect(readdirSync(folder)).toEqual(['vectors-9.f16'])
  await carryVectorFile(folder, 9, 11)
  await carryVectorFile(folder, 9, 12)
  await using file = await openVectorFile(folder, { ...state, version: 11 })
  expect(file?.ids).toEqual(ids)
  await expect(writeVectorFile(folder, state, 21, blocks())).rejects.toThrow(/20 rows, not 21/)
  expect(readdirSync(folder)).toEqual(['vectors-11.f16'])
})
