/** Tries what holds for every lowered plan, in every arithmetic: where slots lie, how they are stored, what is read as what. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type RandomPlan, randomPlan } from '../../../test/support/random-plan.js'
import { OPS, type OpRow } from '../ops.js'
import type { Plan, SlotName } from '../plan.js'
import type { StepOf } from '../step-table.js'
import { offsetIn, strideOf } from './arena.js'
import { Arithmetic, type PrecisionInfo, plainArithmetic } from './arithmetic.js'
import { type LoweredPlan, lowerPlan } from './lower-plan.js'
import type { LoweredOp } from './lowered-op.js'
import { sizeOf } from './slot-sizes.js'

const ROWS: PrecisionInfo = { rows: 0, attention: 0, between: 0 }
const HALVES: PrecisionInfo = { rows: 1, attention: 1, between: 1 }
const BYTES: PrecisionInfo = { rows: 3, attention: 1, between: 1 }
/** Says, in the order of PRECISIONS, what matrix tiles read, what vectors of bfloat16 read, and plain float32. */
const TILES = [{ ...ROWS, between: 1 }, { rows: 2, attention: 2, between: 1 }, HALVES, BYTES]
const VECTORS = [ROWS, null, { rows: 1, attention: 0, between: 1 }, { rows: 3, attention: 0, between: 1 }]
/** Vectors without products of narrow numbers take bytes as integers of 16 bits. */
const PLAIN_VECTORS = [ROWS, null, ROWS, { ...ROWS, rows: 4 }]

const ARITHMETICS = [
  ['float32', plainArithmetic()],
  ['high on tiles', new Arithmetic('high', TILES)],
  ['bfloat16 on tiles', new Arithmetic('bfloat16', TILES)],
  ['int8 on tiles', new Arithmetic('int8', TILES)],
  ['bfloat16 on vectors', new Arithmetic('bfloat16', VECTORS)],
  ['int8 on vectors', new Arithmetic('int8', VECTORS)],
  ['int8 on plain vectors', new Arithmetic('int8', PLAIN_VECTORS)],
] as const

const NAMES = ['input', 'second', 'output'] as const
const slotsOf = (op: LoweredOp) => NAMES.map((name) => op[name]).filter((slot) => slot !== null)
const formatOf = ({ formats }: LoweredPlan, slot: SlotName) => formats.get(slot) ?? 'float32'

/** Gives where the rows of a slot lie that an operation reads or writes, [from, to). */
function placeOf(lowered: LoweredPlan, slot: SlotName, part: readonly [number, number] | null = null) {
  const [rows, width] = sizeOf(slot, lowered.sizes)
  const [first, count] = part ?? [0, rows]
  const stride = strideOf(width, formatOf(lowered, slot))
  const from = offsetIn(lowered.arena, slot) + first * stride
  return [from, from + count * stride] as const
}

describe.each(ARITHMETICS)('%s', (_, arithmetic) => {
  const holds = (property: (lowered: LoweredPlan, plan: Plan, random: RandomPlan) => void) =>
    fc.assert(
      fc.property(randomPlan('every'), (random) =>
        property(lowerPlan(random.plan, random.outputs, arithmetic), random.plan, random),
      ),
    )

  test('every operation finds what was written into the slots that it reads', () => {
    holds((lowered) => {
      // Each float of the arena remembers whose value it holds.
      const owners: (SlotName | undefined)[] = Array.from({ length: lowered.arena.floats })
      const expectOwned = (slot: SlotName, part: readonly [number, number] | null = null) => {
        const [from, to] = placeOf(lowered, slot, part)
        expect(to).toBeLessThanOrEqual(lowered.arena.floats)
        expect(new Set(owners.slice(from, to)), slot).toEqual(new Set([slot]))
      }
      for (const op of lowered.ops) {
        if (op.input !== null) expectOwned(op.input, op.inputRows)
        if (op.second !== null) expectOwned(op.second)
        if (op.output !== null) owners.fill(op.output, ...placeOf(lowered, op.output, op.outputRows))
      }
    })
  })

  test('an operation writes over what it reads only where its row allows it', () => {
    holds((lowered) => {
      for (const op of lowered.ops) {
        const { inPlace }: OpRow = OPS[op.kind]
        if (op.output === null) continue
        const [from, to] = placeOf(lowered, op.output)
        for (const name of ['input', 'second'] as const) {
          const read = op[name]
          if (read === null || inPlace.includes(name)) continue
          const [start, end] = placeOf(lowered, read)
          expect(end <= from || to <= start || inPlace.some((other) => op[other] === read)).toBe(true)
        }
      }
    })
  })

  test('the arena is no larger than all slots together, and rows begin at odd cache lines', () => {
    holds((lowered) => {
      const slots = new Set(lowered.ops.flatMap(slotsOf))
      let all = 0
      for (const slot of slots) {
        const [from, to] = placeOf(lowered, slot)
        all += to - from
        expect(from % 16).toBe(0)
        expect((strideOf(sizeOf(slot, lowered.sizes)[1], formatOf(lowered, slot)) / 16) % 2).toBe(1)
      }
      expect(lowered.arena.floats).toBeLessThanOrEqual(all)
    })
  })

  test('every operation reads and writes in the formats that its row and the arithmetic name', () => {
    holds((lowered) => {
      for (const op of lowered.ops) {
        const { reads, writes }: OpRow = OPS[op.kind]
        if (op.input !== null && op.kind !== 'convert') {
          const format = formatOf(lowered, op.input)
          if (reads === 'product' && op.weight !== null && op.weight.form !== 'rows') {
            expect(format).toBe(arithmetic.rowsFor(op.weight.form))
          } else if (reads === 'attention') expect(['float32', arithmetic.attention]).toContain(format)
          else expect(format).toBe('float32')
        }
        if (op.second !== null && op.second !== op.input) expect(formatOf(lowered, op.second)).toBe('float32')
        if (op.output === null) continue
        const written = formatOf(lowered, op.output)
        if (writes === 'float32') expect(written).toBe('float32')
        if (writes === 'between') expect(['int8', 'int16']).not.toContain(written)
        if (op.kind === 'convert') expect(written).not.toBe('float32')
      }
    })
  })

  test('every output is copied out once, in its place, and nothing is computed that no output needs', () => {
    holds((lowered, plan, { outputs }) => {
      const copies = lowered.ops.filter(({ kind }) => kind === 'copyOut')
      const copied = copies.map((op) => [op.outputIndex, op.input ?? plan.inputs[0]?.slot] as const)
      expect(new Map(copied)).toEqual(new Map(outputs.map((slot, index) => [index, slot])))
      expect(copies).toHaveLength(outputs.length)
      const read = new Set(lowered.ops.flatMap(({ input, second }) => [input, second]))
      for (const { output } of lowered.ops) if (output !== null) expect(read.has(output), output).toBe(true)
    })
  })

  test('a constant becomes a slot once, before it is read', () => {
    holds((lowered, plan) => {
      const written = lowered.ops.flatMap(({ kind, constant }) => (kind === 'broadcast' ? [constant] : []))
      const constants = written.filter((name) => name !== null)
      expect(new Set(constants).size).toBe(constants.length)
      for (const name of constants) expect(plan.constants.has(name)).toBe(true)
    })
  })
})

describe('self-attention in heads that tiles can hold', () => {
  const bfloat16 = new Arithmetic('bfloat16', TILES)
  const plain = { rotary: null, bias: null, mask: null, groups: 2 } as const
  const lowered = (fields: Partial<StepOf<'attention'>>) => {
    const plan: Plan = {
      inputs: [{ kind: 'pixels', slot: 'x' }],
      slots: new Map([
        ['x', [8, 32]],
        ['qkv', [8, 192]],
        ['y', [8, 64]],
      ]),
      weights: new Map([['w', [192, 32]]]),
      constants: new Map([['table', { shape: [8, 64], values: new Float32Array(512) }]]),
      steps: [
        { op: 'linear', input: 'x', output: 'qkv', weight: 'w', bias: null },
        {
          op: 'attention',
          input: 'qkv',
          output: 'y',
          heads: 2,
          scale: 1,
          queryNorm: null,
          keyNorm: null,
          ...plain,
          ...fields,
        },
      ],
    }
    const result = lowerPlan(plan, ['y'], bfloat16)
    return result.ops.map(({ kind, input }) => [kind, input === null ? null : formatOf(result, input)])
  }

  test('reads bfloat16 behind a product, and behind the turning of queries and keys, which reads float32', () => {
    expect(lowered({})).toContainEqual(['attention', 'bfloat16'])
    const turned = lowered({ rotary: { table: 'table', pairs: 'halves' } })
    expect(turned).toContainEqual(['turn', 'float32'])
    expect(turned).toContainEqual(['attention', 'bfloat16'])
  })

  test('reads float32 where scores are changed', () => {
    expect(lowered({ mask: { kind: 'causal' } })).toContainEqual(['attention', 'float32'])
  })
})

test('a slot and a constant of one name are refused', () => {
  const plan: Plan = {
    inputs: [{ kind: 'pixels', slot: 'x' }],
    slots: new Map([
      ['x', [1, 8]],
      ['y', [1, 8]],
    ]),
    weights: new Map(),
    constants: new Map([['x', { shape: [1, 8], values: new Float32Array(8) }]]),
    steps: [{ op: 'activation', input: 'x', output: 'y', kind: 'relu' }],
  }
  expect(() => lowerPlan(plan, ['y'], plainArithmetic())).toThrow('a slot and a constant named x')
})

test('queries and keys are turned once for all who look at them in one way, and anew for another', () => {
  const same = {
    input: 'x',
    heads: 2,
    scale: 1,
    queryNorm: null,
    keyNorm: { kind: 'rmsNorm', weight: 'norm', bias: null, epsilon: 1e-6 },
    rotary: null,
    bias: null,
    mask: null,
    groups: 1,
  } as const
  const look = { ...same, op: 'attentionWeights', rows: null, chosen: null, fusion: 'mean' } as const
  const plan: Plan = {
    inputs: [{ kind: 'pixels', slot: 'x' }],
    slots: new Map([
      ['x', [5, 24]],
      ['merged', [5, 8]],
      ['weights', [5, 5]],
      ['others', [5, 5]],
    ]),
    weights: new Map([['norm', [4]]]),
    constants: new Map(),
    steps: [
      { ...same, op: 'attention', output: 'merged' },
      { ...look, output: 'weights', keyNorm: { ...same.keyNorm } },
      { ...look, output: 'others', keyNorm: { ...same.keyNorm, epsilon: 1e-5 } },
    ],
  }
  const { ops } = lowerPlan(plan, ['merged', 'weights', 'others'], plainArithmetic())
  const inputs = new Map(ops.map(({ output, input }) => [output, input]))
  expect(ops.filter(({ kind }) => kind === 'turn')).toHaveLength(2)
  expect(inputs.get('weights')).toBe(inputs.get('merged'))
  expect(inputs.get('others')).not.toBe(inputs.get('merged'))
})
