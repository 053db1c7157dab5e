/** Writes the operation in AssemblyScript: constants for enumerations, where each field lies among the numbers, readers of single numbers, and the call of each kind's kernel. */
import { countNumbers, fieldsOf, membersOf, upperCase } from './table.mjs'

const PREFIXES = {
  activation: 'ACTIVATION',
  combination: 'COMBINE',
  weightOperand: 'WEIGHT_OPERAND',
  scoreBias: 'SCORE_BIAS',
  keyMask: 'KEY_MASK',
  headFusion: 'HEAD_FUSION',
  routing: 'ROUTING',
  format: 'FORMAT',
  precision: 'PRECISION',
  normKind: 'NORM_KIND',
}

export function assemblyScriptOf(table) {
  let at = 1
  const offsets = []
  const readers = []
  for (const { name, type, meaning, parts } of fieldsOf(table)) {
    offsets.push(`/** ${meaning} */\nexport const ${upperCase(name)}: i32 = ${at}`)
    const isOffset = type === 'rows' || type === 'constant'
    if (parts === null && !isOffset) readers.push(readerOf(name, type))
    at += parts?.length ?? 1
  }
  const enumerations = Object.entries(PREFIXES).map(([type, prefix]) =>
    constants(prefix, membersOf(table, type)),
  )
  const parts = Object.entries(table.PARTS).map(([type, members]) =>
    constants(`${upperCase(type)}_PART`, Object.keys(members)),
  )
  return `
// These are the kinds of operations.
${constants('OP', Object.keys(table.OPS))}

// These are the members of enumerations.
${enumerations.join('\n')}

// A field's parts lie here, from the field's own place on.
${parts.join('\n')}

// Fields lie here, in numbers from the operation's first, which is its kind.
export const FIELDS: i32 = ${countNumbers(table)}
${offsets.join('\n')}

// @ts-ignore: decorator
@inline export function field(op: usize, index: i32): i32 {
  return <i32>load<f64>(op + (<usize>index << 3))
}
// @ts-ignore: decorator
@inline export function realField(op: usize, index: i32): f32 {
  return <f32>load<f64>(op + (<usize>index << 3))
}
// @ts-ignore: decorator
@inline export function kindOf(op: usize): i32 {
  return field(op, 0)
}
${readers.join('\n')}
`
}

function constants(prefix, members) {
  return members
    .map((member, index) => `export const ${prefix}_${upperCase(member)}: i32 = ${index}`)
    .join('\n')
}

function readerOf(name, type) {
  const [result, body] =
    type === 'real'
      ? ['f32', `realField(op, ${upperCase(name)})`]
      : type === 'flag'
        ? ['bool', `field(op, ${upperCase(name)}) != 0`]
        : ['i32', `field(op, ${upperCase(name)})`]
  const reader = type === 'flag' ? name : `${name}Of`
  return `// @ts-ignore: decorator\n@inline export function ${reader}(op: usize): ${result} {\n  return ${body}\n}`
}

/** Calls the kernel of each kind by its name, so that a kernel that is missing is missed when this is compiled. */
export function dispatchOf(table) {
  const kinds = Object.keys(table.OPS).filter((kind) => !table.OPS[kind].isNativeAlone)
  const cases = (call) =>
    kinds.map((kind) => `    case OP_${upperCase(kind)}:\n      return ${call(kind)}`).join('\n')
  return `
import * as kernels from './kernels'
import {
${kinds.map((kind) => `  OP_${upperCase(kind)},`).join('\n')}
} from './ops'

/** Counts the tasks that an operation is shared out in. */
export function tasksOfOperation(kind: i32, op: usize): i32 {
  switch (kind) {
${cases((kind) => `kernels.${kind}Tasks(op)`)}
    default:
      unreachable()
      return 0
  }
}

/** Does one task of an operation. */
export function runOperation(kind: i32, op: usize, task: i32): void {
  switch (kind) {
${cases((kind) => `kernels.${kind}(op, task)`)}
    default:
      unreachable()
  }
}
`
}
