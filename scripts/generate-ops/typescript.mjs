/** Writes the operation in TypeScript: by names, placed in memory, and as the numbers that executors read. */
import { capitalised, countNumbers, fieldsOf } from './table.mjs'

/** Types of a field while slots and weights are names, and when they have a place. */
const BY_NAME = {
  slot: 'SlotName | null',
  packed: 'WeightRef | null',
  rows: 'WeightName | null',
  norm: 'NormWeights | null',
  constant: 'ConstantName | null',
  count: 'number',
  real: 'number',
  flag: 'boolean',
  activation: 'ActivationKind',
  combination: 'Combination',
  weightOperand: 'WeightOperand',
  scoreBias: 'ScoreBias',
  keyMask: 'KeyMask',
  headFusion: 'HeadFusion',
  routing: 'Routing',
  precision: 'ProductPrecision',
}
const PLACED = {
  ...BY_NAME,
  slot: 'SlotPlace',
  packed: 'PackedPlace',
  norm: 'NormPlace',
  rows: 'number',
  constant: 'number',
  offset: 'number',
  activation: 'Activation',
  format: 'Format',
  normKind: 'NormKind',
}
const LISTS = {
  activation: 'ACTIVATIONS',
  combination: 'COMBINATIONS',
  weightOperand: 'WEIGHT_OPERANDS',
  scoreBias: 'SCORE_BIASES',
  keyMask: 'KEY_MASKS',
  headFusion: 'HEAD_FUSIONS',
  routing: 'ROUTINGS',
  format: 'FORMATS',
  precision: 'PRECISIONS',
  normKind: 'NORM_KINDS',
}

function initialOf({ type, initial }, { ENUMERATIONS }) {
  if (type in ENUMERATIONS) return `'${ENUMERATIONS[type][0]}'`
  if (type === 'flag') return 'false'
  return type === 'count' || type === 'real' ? String(initial) : 'null'
}

/** Says how a field becomes its place. */
function placing({ name, type, isPartial }) {
  if (type === 'slot') return `slot(op.${name}, ${isPartial ? `op.${name}Rows` : 'null'})`
  if (type === 'activation') return `baseOf(op.${name})`
  return type in { packed: 0, rows: 0, norm: 0, constant: 0 } ? `${type}(op.${name})` : `op.${name}`
}

function writing(value, type) {
  if (type in LISTS) return `${LISTS[type]}.indexOf(${value})`
  return type === 'flag' ? `${value} ? 1 : 0` : value
}

function reading(type) {
  if (type in LISTS) return `member(${LISTS[type]}, next())`
  return type === 'flag' ? 'next() === 1' : 'next()'
}

function lines(list, make) {
  return list.map(make).join('\n')
}

export function loweredOpOf(table) {
  return [byNames, placed, asNumbers].reduce((text, section) => text + section(table), OPENING)
}

const OPENING = `/**
 * Holds an operation in its three forms: with slots and weights as names, as plans are lowered to it; placed in memory; and as the numbers that
 * executors read (native/src/ops.cc, wasm/src/ops.ts).
 */
import { ${[...Object.values(LISTS), 'ACTIVATION_ALIASES', 'OPS'].sort().join(', ')},
  type ActivationKind, type Combination, type Format, type HeadFusion, type KeyMask, type NormKind, type OpKind, type ProductPrecision, type Routing, type ScoreBias, type WeightOperand } from '../ops.js'
import type { ConstantName, NormWeights, SlotName, WeightName } from '../plan.js'
`

function byNames(table) {
  const fields = fieldsOf(table)
  const partial = fields.filter(({ isPartial }) => isPartial)
  return `
// ---- By names ----

/** Says how a weight is stored: packed for the products of a precision, or \`rows\`, as it is. */
export type WeightForm = ProductPrecision | 'rows'
export interface WeightRef {
  readonly name: WeightName
  readonly form: WeightForm
}

export interface LoweredOp {
  readonly kind: OpKind
${lines(fields, ({ name, type, meaning }) => `/** ${meaning} */\nreadonly ${name}: ${BY_NAME[type]}`)}
${lines(partial, ({ name }) => `/** Names the rows of \`${name}\` that the operation takes, [first, count], where it is not all. */\nreadonly ${name}Rows: readonly [first: number, count: number] | null`)}
}

const INITIAL: Omit<LoweredOp, 'kind'> = {
${lines(fields, (field) => `${field.name}: ${initialOf(field, table)},`)}
${lines(partial, ({ name }) => `${name}Rows: null,`)}
}

export function loweredOp(kind: OpKind, fields: Partial<Omit<LoweredOp, 'kind'>>): LoweredOp {
  return { ...INITIAL, kind, ...fields }
}
${weightsOf(fields)}${constantsOf(fields)}`
}

function weightsOf(fields) {
  const ofType = (type) => fields.filter((field) => field.type === type)
  const names = [
    ...ofType('rows').map(({ name }) => `op.${name}`),
    ...ofType('norm').flatMap(({ name }) => [`op.${name}?.weight`, `op.${name}?.bias`]),
  ]
  return `
/** Lists every weight that an operation reads. */
export function weightsOf(op: LoweredOp): readonly WeightRef[] {
  const refs: WeightRef[] = []
${lines(ofType('packed'), ({ name }) => `if (op.${name} !== null) refs.push(op.${name})`)}
  const names = [${names.join(', ')}]
  for (const name of names) if (name !== null && name !== undefined) refs.push({ name, form: 'rows' })
  return refs
}
`
}

function constantsOf(fields) {
  const names = fields.filter(({ type }) => type === 'constant').map(({ name }) => `op.${name}`)
  return `
/** Lists every table of the plan that an operation reads. */
export function constantsOf(op: LoweredOp): readonly ConstantName[] {
  return [${names.join(', ')}].filter((name) => name !== null)
}
`
}

function placed(table) {
  const fields = fieldsOf(table)
  const placeInterface = ([type, members]) => `export interface ${capitalised(type)}Place {
${lines(Object.entries(members), ([name, partType]) => `readonly ${name}: ${PLACED[partType]}`)}
}`
  return `
// ---- Placed ----

export type Activation = (typeof ACTIVATIONS)[number]

${Object.entries(table.PARTS).map(placeInterface).join('\n\n')}

/** Offsets count floats from where slots, weights or constants begin; -1 stands for none. A slot without rows is none. */
export interface PlacedOp {
  readonly kind: OpKind
${lines(fields, ({ name, type }) => `readonly ${name}: ${PLACED[type]}`)}
}

/** Knows where slots, weights and constants lie. What is not there throws by its name. */
export interface Places {
  slot(name: SlotName, rows: readonly [first: number, count: number] | null): SlotPlace
  weight(ref: WeightRef): number
  constant(name: ConstantName): number
}

const NO_SLOT: SlotPlace = { offset: 0, rows: 0, width: 0, stride: 0, format: 'float32' }
const NO_NORM: NormPlace = { kind: 'none', weight: -1, bias: -1, epsilon: 0 }

export function placeOp(op: LoweredOp, places: Places): PlacedOp {
${PLACERS}
  return {
    kind: op.kind,
${lines(fields, (field) => `${field.name}: ${placing(field)},`)}
  }
}

/** Takes the function that a name stands for. */
export function baseOf(kind: ActivationKind): Activation {
  return kind in ACTIVATION_ALIASES ? ACTIVATION_ALIASES[kind as keyof typeof ACTIVATION_ALIASES] : (kind as Activation)
}
`
}

/** `placeOp` places a field with the function that has the name of the field's type. */
const PLACERS = `  const slot = (name: SlotName | null, part: readonly [number, number] | null) =>
    name === null ? NO_SLOT : places.slot(name, part)
  const rows = (name: WeightName | null) => (name === null ? -1 : places.weight({ name, form: 'rows' }))
  const constant = (name: ConstantName | null) => (name === null ? -1 : places.constant(name))
  const packed = (ref: WeightRef | null): PackedPlace => ({
    offset: ref === null ? -1 : places.weight(ref),
    precision: ref === null || ref.form === 'rows' ? 'float32' : ref.form,
  })
  const norm = (weights: NormWeights | null): NormPlace => {
    if (weights === null) return NO_NORM
    const { kind, weight, bias, epsilon } = weights
    // A root mean square norm has no shift.
    return { kind, weight: rows(weight), bias: kind === 'layerNorm' ? rows(bias) : -1, epsilon }
  }`

function asNumbers(table) {
  const fields = fieldsOf(table)
  const parts = Object.entries(table.PARTS)
  const reader = ([type, members]) => `const ${type} = (): ${capitalised(type)}Place => ({
${lines(Object.entries(members), ([name, partType]) => `${name}: ${reading(partType)},`)}
})`
  const writer = ([
    type,
    members,
  ]) => `function ${type}Numbers(place: ${capitalised(type)}Place): readonly number[] {
  return [${Object.entries(members)
    .map(([name, partType]) => writing(`place.${name}`, partType))
    .join(', ')}]
}`
  return `
// ---- As numbers ----

/** Counts the numbers that an operation takes. */
export const OP_FIELDS = ${countNumbers(table)}
const OP_KINDS = Object.keys(OPS) as readonly OpKind[]

/** Writes OP_FIELDS numbers from \`at\` on. */
export function writeOp(op: PlacedOp, to: Float64Array, at: number): void {
  to.set([
    OP_KINDS.indexOf(op.kind),
${lines(fields, ({ name, type, parts: own }) => (own === null ? `${writing(`op.${name}`, type)},` : `...${type}Numbers(op.${name}),`))}
  ], at)
}

/** Reads back what \`writeOp\` wrote. Throws RangeError for a number that stands for nothing. */
export function readOp(from: Float64Array, at: number): PlacedOp {
  let place = at
  const next = () => {
    const value = from[place++]
    if (value === undefined) throw new RangeError(\`An operation ends at \${from.length}, before its last number.\`)
    return value
  }
${lines(parts, reader)}
  return {
    kind: member(OP_KINDS, next()),
${lines(fields, ({ name, type, parts: own }) => `${name}: ${own === null ? reading(type) : `${type}()`},`)}
  }
}

${lines(parts, writer)}

function member<T>(list: readonly T[], index: number): T {
  const found = list[index]
  if (found === undefined) throw new RangeError(\`\${index} is the number of none of \${list.join(', ')}.\`)
  return found
}
`
}
