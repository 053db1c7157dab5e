/** Makes the shaders that work row by row, and says over how many threads each runs: copies, patches, tokens, element-wise steps, means. */
import type { OpKind } from '../../ops.js'
import type { DispatchMaker, OpOnGpu } from '../op-on-gpu.js'
import { type Epilogue, epilogue, epilogueOf } from './linear.js'
import { activation, forEach, prelude, SCALAR, VECTOR } from './wgsl.js'

/** Turns an input into a slot's rows. A thread has an element, as in all that follow. */
function copyInShader(): string {
  return `${prelude(SCALAR)}${forEach(
    'p.batch * p.output.rows * p.output.width',
    `  let row = i / p.output.width;
  let c = i % p.output.width;
  let given = row / p.output.rows * p.inputLength + p.inputAt + row % p.output.rows * p.output.width + c;
  arena[p.output.offset + row * p.output.stride + c] = pixels[given];`,
  )}`
}

/** Packs a slot's rows as outputs; or what was given, where an input itself is asked for. */
export function copyOutShader(pixels: boolean): string {
  const value = pixels
    ? 'pixels[i / p.input.width * p.inputLength + p.inputAt + i % p.input.width]'
    : 'arena[p.input.offset + i / p.input.width * p.input.stride + i % p.input.width]'
  return `${prelude(SCALAR)}${forEach('p.batch * p.input.rows * p.input.width', `  outputs[p.outputBase + i] = ${value};`)}`
}

/** Cuts the pixels, or a slot that has a pixel to a row, into patches. */
function patchifyShader(planes: boolean): string {
  const value = planes
    ? 'pixels[image * p.inputLength + p.inputAt + (c * height + y) * width + x]'
    : 'arena[p.input.offset + ((image * height + y) * width + x) * p.input.stride + c]'
  return `${prelude(SCALAR)}${forEach(
    'p.batch * p.output.rows * p.output.width',
    `  let channels = p.channels;
  let height = p.planeHeight;
  let width = p.planeWidth;
  let side = p.patchSize;
  let across = 1u + (width - side) / p.patchStride;
  let row = i / p.output.width;
  let image = row / p.output.rows;
  let cell = row % p.output.rows;
  let place = i % p.output.width;
  let c = place / (side * side);
  let y = cell / across * p.patchStride + place / side % side;
  let x = cell % across * p.patchStride + place % side;
  arena[p.output.offset + row * p.output.stride + place] = ${value};`,
  )}`
}

export interface TokensShader {
  readonly classToken: boolean
  readonly positions: boolean
}

/** Puts the class token and the registers, which are weights, before the patches with their positions. */
function tokensShader({ classToken, positions }: TokensShader): string {
  const head = classToken ? '1u' : '0u'
  return `${prelude(SCALAR)}${forEach(
    'p.batch * p.output.rows * p.output.width',
    `  let row = i / p.output.width;
  let c = i % p.output.width;
  let token = row % p.output.rows;
  let special = p.output.rows - p.input.rows;
  let to = p.output.offset + row * p.output.stride + c;
  if (token < ${head}) {
    arena[to] = rows[p.weight + c];
  } else if (token < special) {
    arena[to] = rows[p.gamma + (token - ${head}) * p.output.width + c];
  } else {
    let cell = token - special;
    let v = arena[p.input.offset + (row / p.output.rows * p.input.rows + cell) * p.input.stride + c];
    arena[to] = v${positions ? ' + constants[p.constant + cell * p.output.width + c]' : ''};
  }`,
  )}`
}

/** Gives four columns to a thread. */
export function elementwiseShader(step: Epilogue): string {
  return `${prelude(VECTOR)}${activation(step.activation)}${forEach(
    'p.batch * p.input.rows * ((p.input.width + 3u) / 4u)',
    `  let vectors = (p.input.width + 3u) / 4u;
  let r = i / vectors;
  let c = i % vectors;
  var v = arena[(p.input.offset + r * p.input.stride) / 4u + c];
      ${epilogue(step)}
  arena[(p.output.offset + r * p.output.stride) / 4u + c] = v;`,
  )}`
}

/** Keeps rows from the first one on. */
function sliceRowsShader(): string {
  return `${prelude(SCALAR)}${forEach(
    'p.batch * p.output.rows * p.output.width',
    `  let row = i / p.output.width;
  let c = i % p.output.width;
  let start = row / p.output.rows * p.input.rows + row % p.output.rows + p.firstRow;
  arena[p.output.offset + row * p.output.stride + c] = arena[p.input.offset + start * p.input.stride + c];`,
  )}`
}

/** Puts rows where the index says, or zeros where it names none. */
function gatherRowsShader(): string {
  return `${prelude(SCALAR)}${forEach(
    'p.batch * p.output.rows * p.output.width',
    `  let row = i / p.output.width;
  let c = i % p.output.width;
  let index = i32(constants[p.constant + row % p.output.rows]);
  let start = row / p.output.rows * p.input.rows + u32(max(index, 0));
  let found = arena[p.input.offset + start * p.input.stride + c];
  arena[p.output.offset + row * p.output.stride + c] = select(found, 0.0, index < 0);`,
  )}`
}

/** Gives a column of a group of rows to a thread. Blocks of 32 rows are summed on their own first, so that rounding grows slowly with the number of rows. */
function meanRowsShader(): string {
  return `${prelude(SCALAR)}${forEach(
    'p.batch * p.output.rows * p.input.width',
    `  let member = i / p.input.width;
  let c = i % p.input.width;
  let count = p.input.rows / p.output.rows;
  var total = 0.0;
  for (var start = 0u; start < count; start += 32u) {
    var sum = 0.0;
    for (var r = start; r < min(start + 32u, count); r++) {
      sum += arena[p.input.offset + (member * count + r) * p.input.stride + c];
    }
    total += sum;
  }
  arena[p.output.offset + member * p.output.stride + c] = total / f32(count);`,
  )}`
}

/** Gives a column of an image to a thread. A value that is no number is kept, where the device knows such values. */
function maxRowsShader(): string {
  return `${prelude(SCALAR)}${forEach(
    'p.batch * p.input.width',
    `  let image = i / p.input.width;
  let c = i % p.input.width;
  let first = p.input.offset + image * p.input.rows * p.input.stride + c;
  var largest = arena[first];
  for (var r = 1u; r < p.input.rows; r++) {
    let value = arena[first + r * p.input.stride];
    largest = select(largest, value, value > largest || value != value);
  }
  arena[p.output.offset + image * p.output.stride + c] = largest;`,
  )}`
}

/** Puts the rows of a weight, or of a constant, into the slot of every image. */
export function broadcastShader(source: 'rows' | 'constants'): string {
  const place = source === 'rows' ? 'p.weight' : 'p.constant'
  return `${prelude(SCALAR)}${forEach(
    'p.batch * p.output.rows * p.output.width',
    `  let row = i / p.output.width;
  let c = i % p.output.width;
  arena[p.output.offset + row * p.output.stride + c] = ${source}[${place} + row % p.output.rows * p.output.width + c];`,
  )}`
}

/** Takes the row that the ids say. Each thread looks through all of them: there are few, and few threads. */
function takeRowShader(): string {
  return `${prelude(SCALAR)}${forEach(
    'p.batch * p.output.width',
    `  let image = i / p.output.width;
  let c = i % p.output.width;
  let first = image * p.input.rows;
  var found = p.input.rows;
  var largest = arena[p.second.offset + first * p.second.stride];
  for (var r = 0u; r < p.input.rows; r++) {
    let id = arena[p.second.offset + (first + r) * p.second.stride];
    let isFound = select(found == p.input.rows && id == f32(p.id), r == 0u || id > largest, p.takesLargest == 1u);
    found = select(found, r, isFound);
    largest = max(largest, id);
  }
  found = select(found, 0u, found == p.input.rows);
  arena[p.output.offset + image * p.output.stride + c] = arena[p.input.offset + (first + found) * p.input.stride + c];`,
  )}`
}

/**
 * Rows in the order [image][group][row] become [group][image][row], or back: a group's rows of all images then lie together, as one product
 * wants them.
 */
function regroupShader(): string {
  return `${prelude(SCALAR)}${forEach(
    'p.batch * p.input.rows * p.input.width',
    `  let c = i % p.input.width;
  let row = i / p.input.width;
  let each = p.input.rows / p.groups;
  let image = row / p.input.rows;
  let member = row % p.input.rows / each;
  let grouped = (member * p.batch + image) * each + row % each;
  let to = select(grouped, row, p.isBack == 1u);
  let start = select(row, grouped, p.isBack == 1u);
  arena[p.output.offset + to * p.output.stride + c] = arena[p.input.offset + start * p.input.stride + c];`,
  )}`
}

/** Makes the dispatches of the kinds that are computed here. An operation of this sort is added by its shader and a line. */
export const ROW_DISPATCHES = {
  copyIn: (on) => on.flatOutput(copyInShader()),
  copyOut,
  patchifyPlanes: (on) => on.flatOutput(patchifyShader(true)),
  patchifyRows: (on) => on.flatOutput(patchifyShader(false)),
  assembleTokens: (on) => {
    const { weight, constant } = on.op
    return on.flatOutput(tokensShader({ classToken: weight !== null, positions: constant !== null }))
  },
  elementwise: (on) => {
    const [rows, width] = on.input
    return [on.flat(elementwiseShader(epilogueOf(on.op)), rows * Math.ceil(width / 4))]
  },
  sliceRows: (on) => on.flatOutput(sliceRowsShader()),
  gatherRows: (on) => on.flatOutput(gatherRowsShader()),
  takeRow: (on) => on.flatOutput(takeRowShader()),
  meanRows: (on) => [on.flat(meanRowsShader(), on.output[0] * on.input[1])],
  maxRows: (on) => [on.flat(maxRowsShader(), on.input[1])],
  broadcast: (on) => on.flatOutput(broadcastShader(on.op.constant === null ? 'rows' : 'constants')),
  regroup: (on) => {
    const [rows, width] = on.input
    return [on.flat(regroupShader(), rows * width)]
  },
  convert: () => {
    throw new Error('Everything is float32 on a GPU: there is nothing to convert.')
  },
} as const satisfies Partial<Record<OpKind, DispatchMaker>>

function copyOut(on: OpOnGpu): ReturnType<DispatchMaker> {
  const { outputIndex, input } = on.op
  const [length] = on.outputLengths.slice(outputIndex)
  if (length === undefined) throw new Error(`The plan has no output number ${outputIndex}.`)
  const outputBase = on.outputLengths.slice(0, outputIndex).reduce((sum, each) => sum + each, 0)
  return [on.flat(copyOutShader(input === null), length, { outputBase })]
}
