/** Writes the operation as a shader's uniforms, and the TypeScript that fills them. Enumerations are no numbers here: they choose the shader's text. */
import { capitalised, fieldsOf } from './table.mjs'

const WORDS = {
  offset: 'u32',
  count: 'u32',
  rows: 'u32',
  constant: 'u32',
  packed: 'u32',
  flag: 'u32',
  real: 'f32',
}
/** A structure begins, and the next thing after it, at a whole number of these. */
const WORDS_OF_STRUCT = 4
const BYTES = 256

/** A slot is told where it begins in a batch; all of its values are float32. */
function membersOf({ PARTS }, type) {
  const members = Object.entries(PARTS[type]).filter(([, partType]) => partType in WORDS)
  if (members.length > WORDS_OF_STRUCT) throw new Error(`A ${type} has more than ${WORDS_OF_STRUCT} words.`)
  return members
}

export function paramsOf(table) {
  const fields = fieldsOf(table)
  const structs = fields.filter(({ type }) => type === 'slot' || type === 'norm')
  const numbers = fields.filter(({ type }) => type in WORDS)
  const words = structs.length * WORDS_OF_STRUCT + numbers.length + 2
  if (words * 4 > BYTES) throw new Error(`An operation's ${words} words are more than ${BYTES} bytes hold.`)
  return `/** Tells a shader of an operation: the text of the structure, and how it is filled. */
import type { NormPlace, PlacedOp, SlotPlace } from '../../lowered/lowered-op.js'

/** Counts the bytes from one operation's uniforms to the next: offsets of uniforms are multiples of it. */
export const PARAMS_BYTES = ${BYTES}

/** A slot's offset and stride count floats, whatever the view; the offset is that of the batch, rows are those of one image. */
export const PARAMS = \`
${structOf(table, 'slot')}
${structOf(table, 'norm')}
struct Params {
${declarations(structs, numbers)}
}\`

${writerOf(structs, numbers)}
/** What is not there is not read. */
function placeOf(offset: number): number {
  return Math.max(0, offset)
}
`
}

function structOf(table, type) {
  const members = membersOf(table, type)
  const rest = Array.from({ length: WORDS_OF_STRUCT - members.length }, (_, i) => `unused${i}: u32`)
  const named = members.map(([name, partType]) => `${name}: ${WORDS[partType]}`)
  return `struct ${capitalised(type)} { ${[...named, ...rest].join(', ')} }`
}

function declarations(structs, numbers) {
  return [
    ...structs.map(({ name, type }) => `${name}: ${capitalised(type)},`),
    ...numbers.map(({ name, type }) => `${name}: ${WORDS[type]},`),
    'batch: u32,',
    'outputBase: u32,',
  ]
    .map((line) => `  ${line}`)
    .join('\n')
}

/** Writes the function that fills the structure, word by word in the order of the declarations. */
function writerOf(structs, numbers) {
  let at = structs.length * WORDS_OF_STRUCT
  const assignments = [
    ...structs.map(({ name, type }, index) => `write${capitalised(type)}(${index * 4}, op.${name})`),
    ...numbers.map(({ name, type }) => assignment(at++, name, type)),
    `whole[${at++}] = batch`,
    `whole[${at}] = outputBase`,
  ]
  return `/**
 * Writes the uniforms of one operation.
 *
 * @param outputBase floats of the batch that come before this output's
 * @param words the operation's part of the buffer
 */
export function writeParams(op: PlacedOp, batch: number, outputBase: number, words: ArrayBuffer, byteOffset: number): void {
  const whole = new Uint32Array(words, byteOffset, PARAMS_BYTES / 4)
  const real = new Float32Array(words, byteOffset, PARAMS_BYTES / 4)
  const writeSlot = (at: number, { offset, rows, width, stride }: SlotPlace) =>
    whole.set([offset * batch, rows, width, stride], at)
  const writeNorm = (at: number, { weight, bias, epsilon }: NormPlace) => {
    whole.set([placeOf(weight), placeOf(bias)], at)
    real[at + 2] = epsilon
  }
${assignments.map((line) => `  ${line}`).join('\n')}
}
`
}

function assignment(at, name, type) {
  if (type === 'real') return `real[${at}] = op.${name}`
  if (type === 'packed') return `whole[${at}] = placeOf(op.${name}.offset)`
  if (type === 'flag') return `whole[${at}] = op.${name} ? 1 : 0`
  return type === 'count' ? `whole[${at}] = op.${name}` : `whole[${at}] = placeOf(op.${name})`
}
