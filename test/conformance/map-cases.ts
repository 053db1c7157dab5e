/** Holds the cases of pictures that have a pixel to a row, and of inputs that are no pixels. */
import type { PlanInput, Step } from '../../src/engine/plan.js'
import { placesOf } from '../../src/kernels/patchify.js'
import { interpolationTaps, mostTaps, tableOfTaps } from '../../src/kernels/resample-table.js'
import { type Case, EXACT, ROUNDED, SUMMED } from './case.js'
import { planOf, type StepPlan } from './one-step.js'

interface Pass {
  readonly kernel: number
  readonly stride?: number
  readonly padding?: number
  readonly bias?: boolean
}

function placesIn(height: number, width: number, { kernel, stride = 1, padding = 0 }: Pass): number {
  const [down = 0, across = 0] = [height, width].map((side) => placesOf(side + 2 * padding, kernel, stride))
  return down * across
}

function nameOf(height: number, width: number, from: number, to: number, pass: Pass): string {
  const { kernel, stride = 1, padding = 0, bias = false } = pass
  return `${height} x ${width} x ${from} to ${to}, kernel ${kernel}, stride ${stride}, padding ${padding}${bias ? ', bias' : ''}`
}

/** @param ending follows it, as a head has it, on slots of the same size: `y` is the output of the last */
function conv2d(
  [height, width, channels, columns]: readonly [number, number, number, number],
  pass: Pass,
  ending: readonly Step[] = [],
): Case {
  const { kernel, stride = 1, padding = 0, bias = false } = pass
  const size = [placesIn(height, width, pass), columns]
  const output = ending.length === 0 ? 'y' : 'conv'
  const names = ending.map(({ op }) => op)
  return {
    name: [`conv2d of ${nameOf(height, width, channels, columns, pass)}`, ...names].join(', '),
    tolerance: SUMMED,
    make: () =>
      planOf(
        [height * width, channels],
        [
          {
            op: 'conv2d',
            input: 'x',
            output,
            weight: 'w',
            bias: bias ? 'b' : null,
            height,
            width,
            kernel,
            stride,
            padding,
          },
          ...ending,
        ],
        Object.fromEntries([output, ...ending.map((step) => step.output)].map((slot) => [slot, size])),
        { w: [columns, kernel ** 2 * channels], b: [columns], gamma: [columns] },
      ),
  }
}

/** Takes the size of the picture that is made. */
function transposedConv2d(
  [height, width, channels, columns]: readonly [number, number, number, number],
  pass: Pass,
): Case {
  const { kernel, stride = 1, padding = 0, bias = false } = pass
  return {
    name: `transposedConv2d into ${nameOf(height, width, channels, columns, pass)}`,
    tolerance: SUMMED,
    make: () =>
      planOf(
        [placesIn(height, width, pass), channels],
        [
          {
            op: 'transposedConv2d',
            input: 'x',
            output: 'y',
            weight: 'w',
            bias: bias ? 'b' : null,
            height,
            width,
            kernel,
            stride,
            padding,
          },
        ],
        { y: [height * width, columns] },
        { w: [kernel ** 2 * columns, channels], b: [columns] },
      ),
  }
}

function resize(
  [height, width, channels]: readonly [number, number, number],
  to: readonly [number, number],
  mode: 'bilinear' | 'bicubic',
  corners = false,
): Case {
  const table = (side: number, size: number) => {
    const taps = interpolationTaps(side, { size }, { mode, corners })
    return { shape: [size, 2 * mostTaps(taps)], values: tableOfTaps(taps) }
  }
  return {
    name: `resize of ${height} x ${width} x ${channels} to ${to.join(' x ')}, ${mode}${corners ? ', corners on corners' : ''}`,
    // The largest weights of a bicubic make sums of up to 16 products that are larger than what they come to.
    tolerance: 2 * ROUNDED,
    make: () =>
      planOf(
        [height * width, channels],
        [{ op: 'resize', input: 'x', output: 'y', height, width, rows: 'rows', columns: 'columns' }],
        { y: [to[0] * to[1], channels] },
        {},
        { rows: table(height, to[0]), columns: table(width, to[1]) },
      ),
  }
}

function withInputs({ plan, output }: StepPlan, inputs: readonly PlanInput[]): StepPlan {
  return { plan: { ...plan, inputs }, output }
}

const LEVEL: PlanInput = { kind: 'level', slot: 'x' }

/** There are so few ids that several rows have the same, and so many that some are missing. */
function takeRow(rows: number, width: number, count: number, kind: 'largest' | 'first'): Case {
  return {
    name: `takeRow of ${rows} x ${width}, ${kind} of ${count} ids`,
    tolerance: EXACT,
    make: () =>
      withInputs(
        planOf(
          [rows, width],
          [
            {
              op: 'takeRow',
              input: 'x',
              ids: 'ids',
              output: 'y',
              choice: kind === 'first' ? { kind, id: 3 } : { kind },
            },
          ],
          { ids: [rows, 1], y: [1, width] },
        ),
        [LEVEL, { kind: 'ids', slot: 'ids', count }],
      ),
  }
}

const ADDED: Step = { op: 'add', input: 'relu', branch: 'conv', output: 'y' }
const RELU: Step = { op: 'activation', input: 'conv', output: 'y', kind: 'relu' }

export const MAP_CASES: readonly Case[] = [
  conv2d([1, 1, 1, 1], { kernel: 1, bias: true }),
  conv2d([5, 4, 3, 2], { kernel: 3, padding: 1, bias: true }),
  conv2d([7, 9, 20, 33], { kernel: 3, padding: 1 }),
  conv2d([8, 6, 16, 40], { kernel: 2, stride: 2, bias: true }),
  conv2d([11, 9, 5, 17], { kernel: 3, stride: 2, padding: 1 }),
  conv2d([13, 14, 2, 9], { kernel: 4, stride: 3, padding: 2, bias: true }),
  conv2d([37, 37, 64, 24], { kernel: 3, padding: 1, bias: true }), // several chunks of patches, the last one short
  conv2d([64, 64, 128, 8], { kernel: 3, padding: 1 }), // more patches than WebAssembly lays out at a time
  conv2d([6, 7, 12, 21], { kernel: 3, padding: 1, bias: true }, [RELU]),
  conv2d([6, 7, 12, 21], { kernel: 3, padding: 1 }, [
    { op: 'scale', input: 'conv', output: 'y', gamma: 'gamma' },
  ]),
  conv2d([6, 7, 21, 21], { kernel: 3, padding: 1 }, [{ op: 'add', input: 'x', branch: 'conv', output: 'y' }]),
  conv2d([6, 7, 12, 21], { kernel: 3, padding: 1 }, [{ ...RELU, output: 'relu' }, ADDED]),
  transposedConv2d([2, 2, 1, 1], { kernel: 2, stride: 2, bias: true }),
  transposedConv2d([10, 6, 24, 7], { kernel: 2, stride: 2, bias: true }),
  transposedConv2d([12, 20, 17, 33], { kernel: 4, stride: 4 }),
  transposedConv2d([10, 9, 8, 5], { kernel: 3, stride: 2, padding: 1, bias: true }),
  transposedConv2d([8, 12, 8, 6], { kernel: 4, stride: 2, padding: 1 }),
  transposedConv2d([9, 8, 3, 20], { kernel: 3, padding: 2, bias: true }),
  resize([1, 1, 1], [3, 2], 'bilinear'),
  resize([5, 7, 19], [12, 9], 'bilinear'),
  resize([9, 11, 32], [18, 22], 'bilinear', true),
  resize([12, 9, 5], [5, 4], 'bilinear'),
  resize([4, 6, 21], [9, 8], 'bicubic'),
  resize([6, 5, 16], [11, 10], 'bicubic', true),
  takeRow(9, 19, 5, 'largest'),
  takeRow(9, 19, 5, 'first'),
  takeRow(4, 40, 90, 'first'), // none has it
  {
    name: 'a level of another plan and pixels behind it',
    tolerance: ROUNDED,
    make: () =>
      withInputs(
        planOf(
          [6, 8],
          [
            {
              op: 'patchify',
              input: 'picture',
              output: 'patches',
              layout: 'planes',
              channels: 2,
              height: 6,
              width: 4,
              patch: 2,
              stride: 2,
            },
            { op: 'add', input: 'x', branch: 'patches', output: 'y' },
          ],
          { picture: [2, 6, 4], patches: [6, 8], y: [6, 8] },
        ),
        [LEVEL, { kind: 'pixels', slot: 'picture' }],
      ),
  },
  {
    name: 'rows of a table for ids, and the row of the largest id',
    tolerance: ROUNDED,
    make: () =>
      withInputs(
        planOf(
          [7, 1],
          [
            { op: 'add', input: 'rows', branch: 'positions', output: 'tokens' },
            { op: 'takeRow', input: 'tokens', ids: 'x', output: 'y', choice: { kind: 'largest' } },
          ],
          { rows: [7, 20], tokens: [7, 20], y: [1, 20] },
          {},
          { positions: { shape: [7, 20], values: new Float32Array(140).fill(0.25) } },
        ),
        [
          { kind: 'ids', slot: 'x', count: 11 },
          { kind: 'rowsOfIds', slot: 'rows', ids: 'x', table: 'table' },
        ],
      ),
  },
]
