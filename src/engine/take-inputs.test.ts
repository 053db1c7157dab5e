/** What a run is given is checked by the name of each input, and rows of ids are read: those that are asked for, and no others. */
import { expect, test } from 'vitest'
import type { WeightSource } from './engine.js'
import type { Plan } from './plan.js'
import { createReferenceEngine } from './reference/reference-engine.js'

const plan: Plan = {
  inputs: [
    { kind: 'level', slot: 'level' },
    { kind: 'ids', slot: 'ids', count: 1000 },
    { kind: 'rowsOfIds', slot: 'rows', ids: 'ids', table: 'tokens' },
  ],
  slots: new Map([
    ['level', [2, 3]],
    ['ids', [2, 1]],
    ['rows', [2, 3]],
    ['sum', [2, 3]],
  ]),
  weights: new Map(),
  constants: new Map(),
  steps: [{ op: 'add', input: 'level', branch: 'rows', output: 'sum' }],
}

/** A row holds its number. */
function tableNoting(asked: (readonly number[])[]): WeightSource {
  return {
    read: async (name) => Promise.reject(new Error(`${name} was read whole`)),
    readRows: async (_, [, width = 0], rows) => {
      asked.push(rows)
      return Float32Array.from(rows.flatMap((row) => Array<number>(width).fill(row)))
    },
  }
}

const level = Float32Array.from({ length: 12 }, (_, i) => i / 16)
const ids = Float32Array.of(7, 999, 0, 7)

async function compiled(source: WeightSource) {
  const engine = createReferenceEngine()
  return (await engine.load(plan, source)).compile(plan, ['sum', 'ids'])
}

test('each image has its own part of each input, and the rows of its ids', async () => {
  const asked: (readonly number[])[] = []
  const program = await compiled(tableNoting(asked))
  const given = new Map([
    ['ids', ids.slice()],
    ['level', level],
  ])
  const run = program.run(given, { batch: 2 })
  given.get('ids')?.fill(1)
  const values = await run
  expect(values.get('sum')).toEqual(level.map((value, i) => value + (ids[Math.floor(i / 3)] ?? Number.NaN)))
  expect(values.get('ids')).toEqual(ids)
  expect(asked).toEqual([[7, 999, 0, 7]])
})

test('inputs that are missing, too many, of another length or no ids are refused by their names', async () => {
  const program = await compiled(tableNoting([]))
  const refusal = async (given: Parameters<typeof program.run>[0]) =>
    await program
      .run(given, { batch: 2 })
      .catch((error: Error & { code: string }) => `${error.code}: ${error.message}`)
  const with_ = (...more: [string, Float32Array][]) =>
    new Map([['level', level], ['ids', ids], ...more] as [string, Float32Array][])
  expect(await refusal(level)).toBe('unsupported: This plan takes level, ids: give a map of them by name.')
  expect(await refusal(new Map([['level', level]]))).toBe(
    'unsupported: This plan takes level, ids; it was given level.',
  )
  expect(await refusal(with_(['rows', level]))).toBe(
    'unsupported: This plan takes level, ids; it was given level, ids, rows.',
  )
  expect(await refusal(with_(['ids', ids.subarray(1)]))).toBe(
    'wrong-size: A batch of 2 needs 4 values of ids, got 3.',
  )
  for (const wrong of [1000, -1, 0.5, Number.NaN]) {
    expect(await refusal(with_(['ids', Float32Array.of(1, 2, wrong, 3)]))).toMatch(
      `unsupported: The input ids holds the id ${wrong}; this network's are whole numbers from 0 to 999.`,
    )
  }
})

test('a source that cannot read single rows is refused before anything runs, and rows that are too few when they come', async () => {
  const { read } = tableNoting([])
  await expect(compiled({ read })).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringMatching(/rows of tokens/),
  })
  const short = await compiled({ read, readRows: async () => new Float32Array(5) })
  await expect(
    short.run(
      new Map([
        ['level', level.subarray(6)],
        ['ids', ids.subarray(2)],
      ]),
    ),
  ).rejects.toMatchObject({
    code: 'wrong-size',
  })
})
