/**
 * Tells whether a step's slots and weights fit each other. The kernels trust sizes: a plan that contradicts itself must fail here, by name,
 * and not by reading past the end of something.
 */
import type { Plan, Step } from '../plan.js'
import { handleStep, type StepTable } from '../step-table.js'
import { StepCheck } from './step-check.js'

/** Ids are compared as float32, which holds every whole number up to here. */
const MOST_ID = 2 ** 24

/** Throws `unsupported` naming the step and what does not fit. */
export function checkStep(step: Step, plan: Plan): void {
  handleStep(CHECKS, step, new StepCheck(step, plan))
}

const CHECKS: StepTable<[StepCheck], void> = {
  patchify: (step, check) => check.patchify(step),
  linear: (step, check) => {
    const [rows, depth] = check.slot(step.input)
    const [outRows, columns] = check.slot(step.output)
    check.same('rows', rows, outRows)
    check.weight(step.weight, [columns, depth])
    check.vector(step.bias, columns)
  },
  assembleTokens: (step, check) => {
    const [rows, width] = check.slot(step.input)
    const [outRows, outWidth] = check.slot(step.output)
    check.same('width', width, outWidth)
    const registers = step.registers === null ? 0 : check.rowsOf(step.registers, width)
    const head = step.classToken === null ? 0 : check.rowsOf(step.classToken, width)
    check.same('rows of the class token', head, step.classToken === null ? 0 : 1)
    check.same('rows', rows + registers + head, outRows)
    check.constant(step.positions, [rows, width])
  },
  norm: (step, check) => {
    check.sameSize(step.input, step.output)
    check.norm(step, check.slot(step.output)[1])
  },
  attention: (step, check) => {
    const [rows, width] = check.slot(step.output)
    check.attention(step, rows, width)
  },
  attentionWeights: (step, check) => {
    const [rows, three] = check.slot(step.input)
    check.divides('operands', 3, three)
    check.attention(step, rows, three / 3)
    check.weights(step, check.picked(step.rows, rows), rows / step.groups)
  },
  activation: (step, check) => check.sameSize(step.input, step.output),
  gate: (step, check) => {
    check.sameSize(step.gate, step.output)
    check.sameSize(step.value, step.output)
  },
  scale: (step, check) => {
    check.sameSize(step.input, step.output)
    check.vector(step.gamma, check.slot(step.output)[1])
  },
  add: (step, check) => {
    check.sameSize(step.input, step.output)
    check.sameSize(step.branch, step.output)
  },
  sliceRows: (step, check) => {
    const [rows, width] = check.slot(step.input)
    const [outRows, outWidth] = check.slot(step.output)
    check.same('width', width, outWidth)
    check.same('rows', step.to - step.from, outRows)
    check.that(step.from >= 0 && step.to <= rows, `rows ${step.from} to ${step.to} of ${rows}`)
  },
  meanRows: (step, check) => {
    const [rows, width] = check.slot(step.input)
    const [groups, outWidth] = check.slot(step.output)
    check.same('width', outWidth, width)
    check.divides('groups', groups, rows)
  },
  maxRows: (step, check) => check.pooled(step.input, step.output),
  broadcast: (step, check) => check.weight(step.weight, check.slot(step.output)),
  stackRows: (step, check) => {
    const [outRows, outWidth] = check.slot(step.output)
    check.divides('inputs', step.inputs.length, outRows)
    for (const [rows, width] of step.inputs.map((input) => check.slot(input))) {
      check.same('width', width, outWidth)
      check.same('rows', rows, outRows / step.inputs.length)
    }
  },
  gatherRows: (step, check) => {
    const [rows, width] = check.slot(step.input)
    const [outRows, outWidth] = check.slot(step.output)
    check.same('width', outWidth, width)
    check.wholeNumbers(step.index, [outRows, 1], -1, rows - 1)
  },
  takeRow: (step, check) => {
    check.pooled(step.input, step.output)
    const [rows, width] = check.slot(step.ids)
    check.same('rows of ids', rows, check.slot(step.input)[0])
    check.same('width of ids', width, 1)
    if (step.choice.kind === 'first') check.wholeNumber('id', step.choice.id, 0, MOST_ID)
  },
  conv2d: (step, check) => {
    const [pixels, channels] = check.slot(step.input)
    const [places, columns] = check.slot(step.output)
    check.pass(step, pixels, places)
    check.weight(step.weight, [columns, step.kernel ** 2 * channels])
    check.vector(step.bias, columns)
  },
  transposedConv2d: (step, check) => {
    const [places, channels] = check.slot(step.input)
    const [pixels, columns] = check.slot(step.output)
    check.pass(step, pixels, places)
    check.weight(step.weight, [step.kernel ** 2 * columns, channels])
    check.vector(step.bias, columns)
  },
  resize: (step, check) => {
    const [pixels, width] = check.slot(step.input)
    const [outPixels, outWidth] = check.slot(step.output)
    check.same('width', outWidth, width)
    check.same('pixels', pixels, step.height * step.width)
    const [height, taps] = check.taps(step.rows, step.height)
    const [across, others] = check.taps(step.columns, step.width)
    check.same('taps of columns', others, taps)
    check.same('pixels', outPixels, height * across)
  },
  crossAttention: (step, check) => {
    check.sameSize(step.query, step.output)
    check.crossAttention(step)
  },
  crossAttentionWeights: (step, check) => {
    check.crossAttention(step)
    check.weights(step, check.slot(step.query)[0], check.slot(step.keyValue)[0])
  },
  probeAttention: (step, check) => {
    const [rows, width] = check.slot(step.output)
    check.same('rows', rows, 1)
    check.sameSize(step.keys, step.values)
    check.same('width', check.slot(step.keys)[1], width)
    check.divides('heads', step.heads, width)
    check.divides('latents', check.rowsOf(step.latents, width), width)
  },
  softMoe: (step, check) => {
    const [, width] = check.slot(step.output)
    check.sameSize(step.input, step.output)
    check.norm(step.tokenNorm, width)
    check.divides('experts', step.experts.length, check.rowsOf(step.slots, width))
    const hidden = check.rowsOf(step.experts.map(({ weight1 }) => weight1).at(0), width)
    for (const expert of step.experts) {
      check.weight(expert.weight1, [hidden, width])
      check.vector(expert.bias1, hidden)
      check.weight(expert.weight2, [width, hidden])
      check.vector(expert.bias2, width)
    }
  },
  route: (step, check) => check.route(step),
  routedExperts: (step, check) => check.routedExperts(step),
}
