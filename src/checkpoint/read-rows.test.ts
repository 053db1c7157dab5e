/** Single rows of a table are those of the whole, whatever the file, and nothing else of it is read. */
import { expect, test } from 'vitest'
import { countingSource, memorySource } from '../../test/support/memory-source.js'
import { concat, type Picklable, torchLegacy, torchZip } from '../../test/support/torch-file.js'
import { toHalf } from '../tensor/float16.js'
import { toFloat32 } from '../tensor/tensor.js'
import { openCheckpoint } from './open-checkpoint.js'
import { withHead } from './with-head.js'

const [ROWS, WIDTH] = [50, 3]
const values = Float32Array.from({ length: ROWS * WIDTH }, (_, i) => i / 8)
const f32 = new Uint8Array(values.buffer)

/** Has a first tensor in front of the table, which begins elsewhere than the file's tensors do. */
function safetensors(dtype: 'F32' | 'F16', bytes: Uint8Array): Uint8Array {
  const header = new TextEncoder().encode(
    JSON.stringify({
      first: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
      table: { dtype, shape: [ROWS, WIDTH], data_offsets: [8, 8 + bytes.length] },
    }),
  )
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true)
  return concat([length, header, new Uint8Array(8), bytes])
}

const count = new Uint8Array(BigUint64Array.of(BigInt(ROWS * WIDTH)).buffer)
const table: Picklable = { tensor: { key: '0', count: ROWS * WIDTH, shape: [ROWS, WIDTH] } }
/** Holds the table column by column. */
const turned: Picklable = {
  tensor: { key: '0', count: ROWS * WIDTH, shape: [WIDTH, ROWS], strides: [1, WIDTH] },
}
const dict = (tensor: Picklable): Picklable => ({ dict: [['table', tensor]] })
const ASKED = [49, 0, 7, 7, 0]

test.each([
  ['safetensors', safetensors('F32', f32), 4],
  ['halves', safetensors('F16', new Uint8Array(toHalf(values).buffer)), 2],
  ['PyTorch', torchZip(dict(table), { 0: f32 }), 4],
  ['old PyTorch', torchLegacy(dict(table), ['0'], concat([count, f32])), 4],
])('of %s', async (_, file, each) => {
  const source = countingSource(memorySource(file))
  await using checkpoint = await openCheckpoint(source)
  await checkpoint.readRows?.('table', [ROWS, WIDTH], [1])
  const before = source.bytesRead()
  const rows = await checkpoint.readRows?.('table', [ROWS, WIDTH], ASKED)
  expect(source.bytesRead() - before).toBeLessThanOrEqual(new Set(ASKED).size * WIDTH * each + 64)
  expect(rows?.shape).toEqual([ASKED.length, WIDTH])
  const expected = ASKED.flatMap((row) => [...values.subarray(row * WIDTH, (row + 1) * WIDTH)])
  expect(rows && [...toFloat32(rows)]).toEqual(expected)
})

test('a view of another tensor is read whole, and its rows are right', async () => {
  await using checkpoint = await openCheckpoint(memorySource(torchZip(dict(turned), { 0: f32 })))
  const rows = await checkpoint.readRows?.('table', [WIDTH, ROWS], [2])
  const column = Array.from({ length: ROWS }, (_, row) => values[row * WIDTH + 2])
  expect(rows && [...toFloat32(rows)]).toEqual(column)
})

test('a table that is missing, of another shape or without such a row is refused', async () => {
  await using checkpoint = await openCheckpoint(memorySource(safetensors('F32', f32), 'file'))
  const refusal = (name: string, shape: readonly number[], row: number) =>
    checkpoint.readRows?.(name, shape, [row]).catch((error: Error) => error)
  expect(await refusal('other', [ROWS, WIDTH], 0)).toMatchObject({ code: 'missing-tensor' })
  expect(await refusal('table', [ROWS, WIDTH + 1], 0)).toMatchObject({ code: 'wrong-shape' })
  for (const row of [ROWS, -1, 0.5, Number.NaN]) {
    expect(await refusal('table', [ROWS, WIDTH], row)).toMatchObject({
      name: 'RangeError',
      message: `table has rows 0 to 49, and none ${row}.`,
    })
  }
})

test('of a network with a head in a file of its own, each file gives the rows of its own tensors', async () => {
  const head = safetensors('F32', new Uint8Array(values.map((value) => -value).buffer))
  await using joined = await withHead(
    await openCheckpoint(memorySource(safetensors('F32', f32))),
    async () => await openCheckpoint(memorySource(head)),
  )
  const first = async (name: string) => {
    const row = await joined.readRows?.(name, [ROWS, WIDTH], [1])
    return row && [...toFloat32(row)]
  }
  const own = [...values.subarray(WIDTH, 2 * WIDTH)]
  expect(await first('table')).toEqual(own)
  expect(await first('vision_head.table')).toEqual(own.map((value) => -value))
})
