/** This is the table of ops at awkward sizes: one row each, with the error that is allowed and why. */
import type { Engine } from '../../src/engine/engine.js'
import type {
  ActivationKind,
  Constant,
  HeadFusion,
  Plan,
  RoutingChoice,
  SlotName,
} from '../../src/engine/plan.js'
import { slotLength } from '../../src/engine/plan-lookup.js'
import type { StepOf } from '../../src/engine/step-table.js'
import { ACTIVATIONS } from '../../src/kernels/activation.js'
import { placesOf } from '../../src/kernels/patchify.js'
import { ATTENDED, type Case, EXACT, FUNCTION, ROUNDED, SUMMED } from './case.js'
import { MAP_CASES } from './map-cases.js'
import { normWeights, outputOf, pairOf, planOf, pseudoRandom, weights } from './one-step.js'

function linear(rows: number, depth: number, columns: number, bias: boolean): Case {
  return {
    name: `linear [${rows}, ${depth}] x [${columns}, ${depth}]${bias ? ' + bias' : ''}`,
    tolerance: SUMMED,
    make: () =>
      planOf(
        [rows, depth],
        [{ op: 'linear', input: 'x', output: 'y', weight: 'w', bias: bias ? 'b' : null }],
        { y: [rows, columns] },
        { w: [columns, depth], ...(bias ? { b: [columns] } : {}) },
      ),
  }
}

function norm(rows: number, width: number, kind: 'layerNorm' | 'rmsNorm', bias: boolean): Case {
  return {
    name: `${kind} [${rows}, ${width}]${bias ? '' : ' without bias'}`,
    tolerance: FUNCTION,
    make: () =>
      planOf(
        [rows, width],
        [{ op: 'norm', input: 'x', output: 'y', ...normWeights(kind, 'norm', bias) }],
        { y: [rows, width] },
        { 'norm.weight': [width], ...(bias ? { 'norm.bias': [width] } : {}) },
      ),
  }
}

type AttentionStep = StepOf<'attention'>

/** Says what of attention is not plain, and which constants that takes. */
interface Special {
  readonly name: string
  readonly fields: Partial<AttentionStep>
  readonly constants: Readonly<Record<string, Constant>>
}

function attention(
  tokens: number,
  heads: number,
  headWidth: number,
  normed: 'both' | 'query' | null,
  ...specials: readonly Special[]
): Case {
  const width = heads * headWidth
  const shapes = { 'q_norm.weight': [headWidth], 'q_norm.bias': [headWidth], 'k_norm.weight': [headWidth] }
  const ending = [normed === null ? [] : `${normed} normed`, specials.map(({ name }) => name)].flat()
  return {
    name: [`attention of ${tokens} tokens, ${heads} heads of ${headWidth}`, ...ending].join(', '),
    tolerance: ATTENDED,
    make: () =>
      planOf(
        [tokens, 3 * width],
        [
          {
            op: 'attention',
            input: 'x',
            output: 'y',
            heads,
            scale: 3 * headWidth ** -0.5,
            queryNorm: normed === null ? null : normWeights('layerNorm', 'q_norm'),
            keyNorm: normed === 'both' ? normWeights('rmsNorm', 'k_norm', false) : null,
            rotary: null,
            bias: null,
            mask: null,
            groups: 1,
            ...Object.assign({}, ...specials.map(({ fields }) => fields)),
          },
        ],
        { y: [tokens, width] },
        shapes,
        Object.assign({}, ...specials.map(({ constants }) => constants)),
      ),
  }
}

interface Asked {
  readonly rows?: readonly number[]
  readonly chosen?: readonly number[]
  readonly fusion?: HeadFusion
}

function wholeNumbers(numbers: readonly number[]): Constant {
  return { shape: [numbers.length, 1], values: Float32Array.from(numbers) }
}

/** Says what is asked for of heads and rows: all of them where it says nothing. */
function asking({ rows, chosen, fusion = 'none' }: Asked, allRows: number, heads: number) {
  const [rowCount, headCount] = [rows?.length ?? allRows, chosen?.length ?? heads]
  const named = [
    rows === undefined ? [] : `rows ${rows.join(' ')}`,
    chosen === undefined ? [] : `heads ${chosen.join(' ')}`,
    fusion === 'none' ? [] : fusion,
  ]
  return {
    name: named.flat(),
    lines: fusion === 'none' ? headCount * rowCount : rowCount,
    fields: { chosen: chosen === undefined ? null : 'heads', fusion },
    constants: {
      ...(rows === undefined ? {} : { rows: wholeNumbers(rows) }),
      ...(chosen === undefined ? {} : { heads: wholeNumbers(chosen) }),
    },
  }
}

/** Looks at the attention of a row of cases, whose name it takes. */
function weightsOf(asked: Asked, row: Case): Case {
  return {
    ...row,
    name: [`weights of ${row.name}`, ...asking(asked, 0, 0).name].join(', '),
    make: () => {
      const { plan } = row.make()
      const [step] = plan.steps
      if (step?.op !== 'attention') throw new Error(`${row.name} is no attention`)
      const [tokens = 0] = plan.slots.get(step.input) ?? []
      const { lines, fields, constants } = asking(asked, tokens, step.heads)
      const rows = asked.rows === undefined ? null : 'rows'
      return planOf(
        [tokens, 3 * (plan.slots.get('y')?.[1] ?? 0)],
        [{ ...step, op: 'attentionWeights', rows, ...fields }],
        { y: [lines, tokens / step.groups] },
        Object.fromEntries(plan.weights),
        { ...Object.fromEntries(plan.constants), ...constants },
      )
    },
  }
}

function crossAttentionWeights(
  queries: number,
  keys: number,
  heads: number,
  headWidth: number,
  asked: Asked,
): Case {
  const width = heads * headWidth
  const { name, lines, fields, constants } = asking(asked, queries, heads)
  const about = `weights of crossAttention of ${queries} queries over ${keys} rows, ${heads} heads of ${headWidth}`
  return {
    name: [about, ...name].join(', '),
    tolerance: ATTENDED,
    make: () =>
      planOf(
        [keys, 2 * width],
        [
          { op: 'broadcast', weight: 'q', output: 'query' },
          {
            op: 'crossAttentionWeights',
            query: 'query',
            keyValue: 'x',
            output: 'y',
            heads,
            scale: 0.5,
            ...fields,
          },
        ],
        { query: [queries, width], y: [lines, keys] },
        { q: [queries, width] },
        constants,
      ),
  }
}

function tableOf(rows: number, width: number, size = 1): Constant {
  const values = pseudoRandom(rows * width, rows + width).map((value) => size * value)
  return { shape: [rows, width], values }
}

/** The angles are none: any number is one that a table may hold. */
function rotary(
  tokens: number,
  heads: number,
  headWidth: number,
  pairs: 'halves' | 'neighbours',
  tables: 'shared' | 'own' = 'shared',
): Special {
  const width = 2 * headWidth * (tables === 'own' ? heads : 1)
  return {
    name: `turned by ${tables === 'own' ? "each head's " : ''}${pairs}`,
    fields: { rotary: { table: 'angles', pairs } },
    constants: { angles: tableOf(tokens, width) },
  }
}

/** Tokens that are no patches lie in front of the grid. */
function relativeBias(heads: number, rows: number, columns: number): Special {
  const offsets = (2 * rows - 1) * (2 * columns - 1)
  return {
    name: `offsets on ${rows} x ${columns}`,
    fields: { bias: { kind: 'relative', table: 'offsets', rows, columns } },
    constants: { offsets: tableOf(heads, offsets + 3, 3) },
  }
}

function decomposedBias(headWidth: number, rows: number, columns: number): Special {
  return {
    name: `decomposed offsets on ${rows} x ${columns}`,
    fields: {
      bias: { kind: 'decomposed', rowTable: 'of rows', columnTable: 'of columns', rows, columns },
    },
    constants: {
      'of rows': tableOf(2 * rows - 1, headWidth),
      'of columns': tableOf(2 * columns - 1, headWidth),
    },
  }
}

const CAUSAL: Special = { name: 'causal', fields: { mask: { kind: 'causal' } }, constants: {} }

function groupsOf(groups: number): Special {
  return { name: `${groups} groups`, fields: { groups }, constants: {} }
}

/** As many groups as counts: each sees so many of its keys. */
function keyCounts(...counts: readonly number[]): Special {
  return {
    name: `first ${counts.join(', ')} keys`,
    fields: { mask: { kind: 'keys', counts: 'counts' }, groups: counts.length },
    constants: { counts: { shape: [counts.length, 1], values: Float32Array.from(counts) } },
  }
}

function patchify(channels: number, height: number, width: number, patch: number, stride = patch): Case {
  const cells = placesOf(height, patch, stride) * placesOf(width, patch, stride)
  return {
    name: `patchify planes [${channels}, ${height}, ${width}] by ${patch}, ${stride} apart`,
    tolerance: EXACT,
    make: () =>
      planOf(
        [channels, height, width],
        [
          {
            op: 'patchify',
            input: 'x',
            output: 'y',
            layout: 'planes',
            channels,
            height,
            width,
            patch,
            stride,
          },
        ],
        { y: [cells, channels * patch * patch] },
      ),
  }
}

const ACTIVATION_KINDS = Object.keys(ACTIVATIONS) as ActivationKind[]

function activation(kind: ActivationKind): Case {
  // Inputs are scaled, so that both tails are reached.
  return {
    name: `activation ${kind} [7, 83]`,
    tolerance: FUNCTION,
    make: () =>
      planOf(
        [7, 83],
        [
          { op: 'linear', input: 'x', output: 'wide', weight: 'tall', bias: null },
          { op: 'activation', input: 'wide', output: 'y', kind },
        ],
        { wide: [7, 83], y: [7, 83] },
        { tall: [83, 83] },
      ),
  }
}

function softMoe(tokens: number, width: number, experts: number, slots: number): Case {
  const names = Array.from({ length: experts }, (_, e) => `expert.${e}`)
  const hidden = 3 * width
  return {
    name: `softMoe of ${tokens} tokens x ${width}, ${experts} experts of ${slots} slots`,
    tolerance: ATTENDED,
    make: () =>
      planOf(
        [tokens, width],
        [
          {
            op: 'softMoe',
            input: 'x',
            output: 'y',
            tokenNorm: normWeights('rmsNorm', 'token_norm', false),
            slots: 'slots',
            experts: names.map((name) => ({
              weight1: `${name}.w1`,
              bias1: `${name}.b1`,
              weight2: `${name}.w2`,
              bias2: `${name}.b2`,
            })),
            kind: 'gelu',
          },
        ],
        { y: [tokens, width] },
        {
          'token_norm.weight': [width],
          slots: [experts * slots, width],
          ...Object.fromEntries(
            names.flatMap((name) => [
              [`${name}.w1`, [hidden, width]],
              [`${name}.b1`, [hidden]],
              [`${name}.w2`, [width, hidden]],
              [`${name}.b2`, [width]],
            ]),
          ),
        },
      ),
  }
}

/** Gates so strong, and so few rows, that no choice is a near tie, which another order of summation could turn round. */
function routedExperts(
  tokens: number,
  width: number,
  experts: number,
  hidden: number,
  { choice, firstRow = 0, isGated = false, hasBias = false }: RoutedSettings,
): Case {
  const layer = (name: string) => ({ weight: `${name}.w`, bias: hasBias ? `${name}.b` : null })
  const names = Array.from({ length: experts }, (_, e) => `expert.${e}`)
  const shapesOf = (name: string, rows: number, columns: number): [string, number[]][] => [
    [`${name}.w`, [rows, columns]],
    ...(hasBias ? [[`${name}.b`, [rows]] as [string, number[]]] : []),
  ]
  const choices = choice.kind === 'byExperts' ? '' : ` ${choice.choices} of`
  const capacity = choice.kind === 'sigmoid' ? '' : ` within ${choice.capacity}`
  return {
    name: `routedExperts of ${tokens} tokens x ${width}, ${choice.kind}${choices} ${experts} experts${capacity}, from row ${firstRow}, ${isGated ? 'gated' : 'plain'}`,
    tolerance: ATTENDED,
    make: () =>
      planOf(
        [tokens, width],
        [
          { op: 'route', input: 'x', output: 'routing', gate: 'gate', firstRow, choice },
          {
            op: 'routedExperts',
            input: 'x',
            routing: 'routing',
            output: 'y',
            experts: names.map((name) => ({
              inner: layer(`${name}.inner`),
              gate: isGated ? layer(`${name}.gate`) : null,
              outer: layer(`${name}.outer`),
            })),
            kind: isGated ? 'silu' : 'gelu',
            scale: 1.5,
          },
        ],
        { routing: [tokens, experts], y: [tokens, width] },
        {
          gate: [experts, width],
          'routing bias': [experts],
          ...Object.fromEntries(
            names.flatMap((name) => [
              ...shapesOf(`${name}.inner`, hidden, width),
              ...(isGated ? shapesOf(`${name}.gate`, hidden, width) : []),
              ...shapesOf(`${name}.outer`, width, hidden),
            ]),
          ),
        },
      ),
  }
}

interface RoutedSettings {
  readonly choice: RoutingChoice
  readonly firstRow?: number
  readonly isGated?: boolean
  readonly hasBias?: boolean
}

function assemble(
  patches: number,
  width: number,
  registers: number,
  head: boolean,
  positions: boolean,
): Case {
  const rows = patches + registers + (head ? 1 : 0)
  return {
    name: `assembleTokens of ${patches} x ${width}, ${registers} registers${head ? ', class token' : ''}${positions ? ', positions' : ''}`,
    tolerance: positions ? ROUNDED : EXACT,
    make: () =>
      planOf(
        [patches, width],
        [
          {
            op: 'assembleTokens',
            input: 'x',
            output: 'y',
            classToken: head ? 'cls' : null,
            registers: registers > 0 ? 'reg' : null,
            positions: positions ? 'pos' : null,
          },
        ],
        { y: [rows, width] },
        { cls: [1, width], reg: [registers, width] },
        { pos: { shape: [patches, width], values: pseudoRandom(patches * width, 3) } },
      ),
  }
}

/**
 * A GPU takes other tiles for large products, the last ones short here; to other engines they are nothing new. They are hardly larger than a batch must be
 * for these tiles to be taken.
 */
const LARGE_CASES: readonly Case[] = [
  linear(257, 70, 1282, false),
  linear(1025, 30, 1410, true),
  attention(130, 128, 16, null),
]

/** A large image has so many tokens: more blocks of rows, queries and keys than any other case, the last ones short. */
const LONG_CASES: readonly Case[] = [linear(1374, 21, 50, true), attention(1374, 1, 16, null)]

/** No other engine has routed experts. */
const ROUTED_CASES: readonly Case[] = [
  routedExperts(1, 1, 1, 1, { choice: { kind: 'softmax', choices: 1, capacity: 1 } }),
  routedExperts(17, 24, 4, 33, {
    choice: { kind: 'sigmoid', choices: 2, bias: 'routing bias' },
    firstRow: 1,
    isGated: true,
  }),
  routedExperts(197, 80, 7, 49, {
    choice: { kind: 'sigmoid', choices: 3, bias: 'routing bias' },
    isGated: true,
    hasBias: true,
  }),
  routedExperts(50, 33, 5, 70, { choice: { kind: 'softmax', choices: 2, capacity: 16 }, hasBias: true }), // drops tokens
  routedExperts(9, 40, 12, 20, { choice: { kind: 'softmax', choices: 12, capacity: 4 }, firstRow: 2 }), // all choose all
  routedExperts(66, 48, 6, 100, { choice: { kind: 'byExperts', capacity: 22 }, isGated: true }),
  routedExperts(20, 17, 3, 5, { choice: { kind: 'byExperts', capacity: 1 }, firstRow: 5, isGated: true }), // most go to none
  routedExperts(1030, 21, 2, 50, {
    choice: { kind: 'byExperts', capacity: 1000 },
    firstRow: 4,
    isGated: true,
  }),
]

/** Lists the cases that an engine is tried on. */
export function casesFor(engine: string): readonly Case[] {
  const own = engine === 'native' ? ROUTED_CASES : []
  return [...CASES, ...MAP_CASES, ...(engine === 'webgpu' ? LARGE_CASES : LONG_CASES), ...own]
}

const CASES: readonly Case[] = [
  linear(1, 1, 1, true),
  linear(1, 384, 1000, true),
  linear(2, 3, 5, false),
  linear(5, 588, 33, true), // 14 x 14 x 3 pixels, columns one past a panel
  linear(15, 161, 49, true), // one past the blocks of k and the widest panel
  linear(97, 257, 131, true),
  linear(261, 384, 384, true),
  linear(23, 4096, 17, false),
  norm(1, 1, 'layerNorm', true),
  norm(3, 17, 'layerNorm', true),
  norm(5, 384, 'layerNorm', false),
  norm(131, 383, 'layerNorm', true),
  norm(9, 50, 'rmsNorm', false),
  attention(1, 1, 4, null),
  attention(5, 2, 3, null),
  attention(49, 3, 64, null), // one past the widest block of queries
  attention(257, 2, 64, null), // several blocks of keys, the last one short
  attention(145, 1, 32, null), // one past a block of keys of dot products
  attention(577, 1, 32, null), // several blocks of keys and queries of whole numbers, the last ones not full
  attention(33, 2, 80, 'both'),
  attention(20, 3, 17, 'query'),
  attention(35, 2, 64, null, rotary(35, 2, 64, 'halves')),
  attention(35, 2, 64, 'both', rotary(35, 2, 64, 'neighbours')), // two vectors of every width
  attention(19, 3, 80, 'query', rotary(19, 3, 80, 'halves', 'own')), // half a head ends in the middle of a vector
  attention(19, 3, 22, null, rotary(19, 3, 22, 'neighbours', 'own')),
  attention(6, 5, 2, 'both', rotary(6, 5, 2, 'halves')),
  attention(1, 2, 8, null, relativeBias(2, 1, 1)),
  attention(36, 3, 12, null, relativeBias(3, 5, 7)), // a special token; several rows of the grid in every vector
  attention(400, 2, 16, null, relativeBias(2, 19, 21)), // several blocks of keys and queries; rows go on from one vector to the next
  attention(59, 2, 64, 'both', relativeBias(2, 2, 27), rotary(59, 2, 64, 'halves')), // five special tokens
  attention(27, 1, 6, null, relativeBias(1, 13, 2)),
  attention(300, 2, 20, null, decomposedBias(20, 15, 20)),
  attention(12, 2, 18, 'query', decomposedBias(18, 4, 3), rotary(12, 2, 18, 'neighbours')),
  attention(350, 2, 16, null, CAUSAL),
  attention(17, 2, 5, null, CAUSAL),
  attention(96, 2, 64, null, groupsOf(3)),
  attention(63, 3, 7, null, groupsOf(9), relativeBias(3, 2, 3)),
  attention(98, 2, 12, null, groupsOf(2), decomposedBias(12, 7, 7)),
  attention(60, 2, 16, 'both', keyCounts(20, 1, 13)),
  attention(310, 1, 8, null, keyCounts(290), relativeBias(1, 31, 10)),
  // A few rows, as of a class token, and all of them; each with a head that is too narrow or too odd for vectors.
  weightsOf({ rows: [0] }, attention(261, 3, 64, null)),
  weightsOf({ rows: [0] }, attention(50, 2, 11, 'both')),
  weightsOf({}, attention(203, 2, 64, null)),
  weightsOf({}, attention(70, 3, 20, 'both')),
  weightsOf({}, attention(1, 2, 16, null)),
  weightsOf({ rows: [3, 1, 3, 40, 69] }, attention(70, 3, 32, 'query', rotary(70, 3, 32, 'halves'))),
  weightsOf({ chosen: [2, 0] }, attention(70, 3, 32, null, rotary(70, 3, 32, 'neighbours', 'own'))),
  weightsOf({ rows: [0, 69], chosen: [1] }, attention(70, 3, 8, null, relativeBias(3, 6, 11))),
  weightsOf({ fusion: 'mean' }, attention(70, 3, 64, null, rotary(70, 3, 64, 'halves', 'own'))),
  weightsOf({ fusion: 'max', rows: [0, 1, 2] }, attention(70, 3, 32, null)),
  weightsOf({ fusion: 'min', chosen: [0, 2] }, attention(45, 3, 16, null)),
  weightsOf({ fusion: 'mean', chosen: [1] }, attention(45, 3, 32, null)),
  weightsOf({}, attention(70, 3, 8, null, relativeBias(3, 6, 11))),
  weightsOf({}, attention(91, 2, 16, null, relativeBias(2, 1, 90))),
  weightsOf({}, attention(98, 2, 12, null, groupsOf(2), decomposedBias(12, 7, 7))),
  weightsOf({ rows: [0, 48, 49, 97] }, attention(98, 2, 12, null, groupsOf(2), decomposedBias(12, 7, 7))),
  weightsOf({}, attention(75, 2, 16, null, CAUSAL)),
  weightsOf({ rows: [74, 0, 20] }, attention(75, 2, 16, null, CAUSAL)),
  weightsOf({}, attention(60, 2, 16, 'both', keyCounts(20, 1, 13))),
  weightsOf({ rows: [59, 20], fusion: 'max' }, attention(60, 2, 16, 'both', keyCounts(20, 1, 13))),
  weightsOf({}, attention(60, 2, 64, null, groupsOf(4))),
  crossAttentionWeights(3, 70, 2, 24, {}),
  crossAttentionWeights(40, 70, 4, 64, { chosen: [3, 1] }),
  crossAttentionWeights(1, 300, 3, 20, { fusion: 'mean' }),
  patchify(3, 28, 42, 14),
  patchify(1, 17, 23, 5), // remainders on both sides
  patchify(3, 30, 41, 14, 7),
  patchify(2, 17, 23, 5, 3),
  {
    name: 'patchify rows [24 x 20, 5] by 2',
    tolerance: EXACT,
    make: () =>
      planOf(
        [480, 5],
        [
          {
            op: 'patchify',
            input: 'x',
            output: 'y',
            layout: 'rows',
            channels: 5,
            height: 24,
            width: 20,
            patch: 2,
            stride: 2,
          },
        ],
        { y: [120, 20] },
      ),
  },
  {
    name: 'patchify rows [9 x 8, 3] by 4, 2 apart',
    tolerance: EXACT,
    make: () =>
      planOf(
        [72, 3],
        [
          {
            op: 'patchify',
            input: 'x',
            output: 'y',
            layout: 'rows',
            channels: 3,
            height: 9,
            width: 8,
            patch: 4,
            stride: 2,
          },
        ],
        { y: [9, 48] },
      ),
  },
  assemble(6, 20, 4, true, true),
  assemble(7, 33, 0, true, false),
  assemble(3, 16, 2, false, true),
  ...ACTIVATION_KINDS.map(activation),
  {
    name: 'gate [7, 45]',
    tolerance: FUNCTION,
    make: () => pairOf(7, 45, { op: 'gate', gate: 'other', value: 'x', output: 'y', kind: 'silu' }),
  },
  {
    name: 'scale [7, 45]',
    tolerance: ROUNDED,
    make: () =>
      planOf(
        [7, 45],
        [{ op: 'scale', input: 'x', output: 'y', gamma: 'gamma' }],
        { y: [7, 45] },
        { gamma: [45] },
      ),
  },
  {
    name: 'add [7, 45]',
    tolerance: ROUNDED,
    make: () => pairOf(7, 45, { op: 'add', input: 'x', branch: 'other', output: 'y' }),
  },
  {
    name: 'add of a slot to itself [7, 45]',
    tolerance: ROUNDED,
    make: () => planOf([7, 45], [{ op: 'add', input: 'x', branch: 'x', output: 'y' }], { y: [7, 45] }),
  },
  {
    name: 'add of a constant [7, 45]',
    tolerance: ROUNDED,
    make: () =>
      planOf(
        [7, 45],
        [{ op: 'add', input: 'x', branch: 'table', output: 'y' }],
        { y: [7, 45] },
        {},
        {
          table: { shape: [7, 45], values: pseudoRandom(7 * 45, 3) },
        },
      ),
  },
  {
    name: 'a constant as keys and values, another multiplied with a weight',
    tolerance: ATTENDED,
    make: () =>
      planOf(
        [5, 64],
        [
          { op: 'crossAttention', query: 'x', keyValue: 'table', output: 'mixed', heads: 2, scale: 0.5 },
          { op: 'linear', input: 'rows', output: 'turned', weight: 'w', bias: null },
          { op: 'add', input: 'mixed', branch: 'turned', output: 'y' },
        ],
        { mixed: [5, 64], turned: [5, 64], y: [5, 64] },
        { w: [64, 64] },
        {
          table: { shape: [9, 128], values: pseudoRandom(9 * 128, 3) },
          rows: { shape: [5, 64], values: pseudoRandom(5 * 64, 4) },
        },
      ),
  },
  {
    name: 'sliceRows 5 to 17 of 20',
    tolerance: EXACT,
    make: () =>
      planOf([20, 19], [{ op: 'sliceRows', input: 'x', output: 'y', from: 5, to: 17 }], { y: [12, 19] }),
  },
  {
    name: 'meanRows [1370, 50]',
    tolerance: 1e-5, // the mean of random numbers is small beside them: rounding is relative to the terms
    make: () => planOf([1370, 50], [{ op: 'meanRows', input: 'x', output: 'y' }], { y: [1, 50] }),
  },
  {
    name: 'meanRows [91, 21] of 7 groups',
    tolerance: 1e-6, // thirteen random numbers, whose mean is smaller than they are
    make: () => planOf([91, 21], [{ op: 'meanRows', input: 'x', output: 'y' }], { y: [7, 21] }),
  },
  {
    name: 'gatherRows 7 of 5, two of them of nothing',
    tolerance: EXACT,
    make: () =>
      planOf(
        [5, 19],
        [{ op: 'gatherRows', input: 'x', output: 'y', index: 'index' }],
        { y: [7, 19] },
        {},
        { index: { shape: [7, 1], values: Float32Array.of(4, -1, 0, 0, 3, -1, 4) } },
      ),
  },
  {
    name: 'maxRows [1370, 50]',
    tolerance: EXACT,
    make: () => planOf([1370, 50], [{ op: 'maxRows', input: 'x', output: 'y' }], { y: [1, 50] }),
  },
  {
    name: 'stackRows of [3, 21] twice, once as it is and once scaled',
    tolerance: ROUNDED,
    make: () => {
      const { plan } = pairOf(3, 21, { op: 'stackRows', inputs: ['x', 'other'], output: 'y' })
      return { output: 'y', plan: { ...plan, slots: new Map([...plan.slots, ['y', [6, 21]]]) } }
    },
  },
  {
    name: 'broadcast [3, 21]',
    tolerance: EXACT,
    make: () =>
      planOf([1, 4], [{ op: 'broadcast', weight: 'w', output: 'y' }], { y: [3, 21] }, { w: [3, 21] }),
  },
  {
    name: 'crossAttention of 3 queries over 70 rows, 2 heads of 24',
    tolerance: ATTENDED,
    make: () =>
      planOf(
        [70, 96],
        [
          { op: 'broadcast', weight: 'q', output: 'query' },
          {
            op: 'crossAttention',
            query: 'query',
            keyValue: 'x',
            output: 'y',
            heads: 2,
            scale: 0.5,
          },
        ],
        { query: [3, 48], y: [3, 48] },
        { q: [3, 48] },
      ),
  },
  {
    name: 'probeAttention of 4 latents over 37 rows, 3 heads of 20',
    tolerance: ATTENDED,
    make: () => {
      const { plan } = pairOf(37, 60, {
        op: 'probeAttention',
        latents: 'latents',
        keys: 'x',
        values: 'other',
        output: 'y',
        heads: 3,
        scale: 0.7,
      })
      return {
        output: 'y',
        plan: {
          ...plan,
          slots: new Map([...plan.slots, ['y', [1, 60]]]),
          weights: new Map([...plan.weights, ['latents', [4, 60]]]),
        },
      }
    },
  },
  softMoe(19, 24, 3, 2),
  softMoe(150, 64, 4, 40), // more slots than a block of queries or keys holds
]

const BATCH = 2

/** Gives each input of a plan values that are the same every time; ids are whole numbers. */
export function givenOf(plan: Plan, batch: number): ReadonlyMap<SlotName, Float32Array> {
  const asked = plan.inputs.filter(({ kind }) => kind !== 'rowsOfIds')
  return new Map(
    asked.map((input, index) => {
      const values = pseudoRandom(batch * slotLength(plan, input.slot), 7 + index)
      if (input.kind !== 'ids') return [input.slot, values]
      return [input.slot, values.map((value) => Math.floor(((value + 1) / 2) * input.count))]
    }),
  )
}

/**
 * Runs a case on an engine, on a batch that is the same every time.
 *
 * @param isApart every value is asked for, so that no step is fused with another
 */
export async function runCase(engine: Engine, { make }: Case, isApart = false): Promise<Float32Array> {
  const { plan, output } = make()
  using model = await engine.load(plan, weights)
  using program = model.compile(plan, isApart ? [...plan.slots.keys()] : [output])
  return outputOf(await program.run(givenOf(plan, BATCH), { batch: BATCH }), output)
}
