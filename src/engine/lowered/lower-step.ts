/** Turns one step of a plan into operations, before anything is fused. */
import type { AttentionBias, Plan, Step } from '../plan.js'
import { constantOf, rowsAndWidth, weightShape } from '../plan-lookup.js'
import { handleStep, type StepOf, type StepTable } from '../step-table.js'
import type { Arithmetic } from './arithmetic.js'
import { lowerRoute, lowerRoutedExperts, lowerSoftMoe } from './lower-experts.js'
import { type LoweredOp, loweredOp, type WeightRef } from './lowered-op.js'
import type { Lowering } from './lowering.js'
import { type SlotSizes, sizeOf } from './slot-sizes.js'

/** @param sizes temporary slots are added to it */
export function lowerStep(
  step: Step,
  plan: Plan,
  sizes: SlotSizes,
  arithmetic: Arithmetic,
): readonly LoweredOp[] {
  return handleStep(LOWERINGS, step, { plan, sizes, arithmetic })
}

const LOWERINGS: StepTable<[Lowering], readonly LoweredOp[]> = {
  patchify: ({ layout, input, output, channels, height, width, patch }) => [
    loweredOp(layout === 'planes' ? 'patchifyPlanes' : 'patchifyRows', {
      input: layout === 'planes' ? null : input,
      output,
      channels,
      planeHeight: height,
      planeWidth: width,
      patchSize: patch,
    }),
  ],
  linear: (step, { plan, arithmetic }) => [
    loweredOp('linear', {
      input: step.input,
      output: step.output,
      weight: { name: step.weight, form: arithmetic.precisionOf(step, plan) },
      bias: step.bias,
    }),
  ],
  assembleTokens: ({ input, output, classToken, registers, positions }) => [
    loweredOp('assembleTokens', {
      input,
      output,
      weight: classToken === null ? null : rowsForm(classToken),
      gamma: registers,
      constant: positions,
    }),
  ],
  norm: (step) => [loweredOp('norm', { input: step.input, output: step.output, norm: step })],
  attention: lowerAttention,
  activation: ({ input, output, kind }) => [loweredOp('elementwise', { input, output, activation: kind })],
  gate: ({ value, gate, output, kind }) => [
    loweredOp('elementwise', { input: value, second: gate, output, activation: kind, combine: 'gate' }),
  ],
  scale: ({ input, output, gamma }) => [loweredOp('elementwise', { input, output, gamma })],
  add: ({ branch, input, output }) => [
    loweredOp('elementwise', { input: branch, second: input, output, combine: 'add' }),
  ],
  sliceRows: ({ input, output, from }) => [loweredOp('sliceRows', { input, output, firstRow: from })],
  meanRows: ({ input, output }) => [loweredOp('meanRows', { input, output })],
  maxRows: ({ input, output }) => [loweredOp('maxRows', { input, output })],
  stackRows: lowerStack,
  gatherRows: ({ input, output, index }) => [loweredOp('gatherRows', { input, output, constant: index })],
  broadcast: ({ weight, output }) => [loweredOp('broadcast', { output, weight: rowsForm(weight) })],
  crossAttention: ({ query, keyValue, output, heads, scale }, { sizes }) => [
    loweredOp('attention', {
      input: query,
      second: keyValue,
      output,
      heads,
      scale,
      valuesAt: sizeOf(output, sizes)[1],
    }),
  ],
  probeAttention: ({ keys, values, output, latents, heads, scale }, { plan }) => [
    loweredOp('probeAttention', {
      input: keys,
      second: values,
      output,
      weight: rowsForm(latents),
      heads,
      scale,
      latents: rowsAndWidth(latents, weightShape(plan, latents))[0],
    }),
  ],
  softMoe: lowerSoftMoe,
  route: lowerRoute,
  routedExperts: lowerRoutedExperts,
}

function rowsForm(name: string): WeightRef {
  return { name, form: 'rows' }
}

function lowerAttention(step: StepOf<'attention'>, lowering: Lowering): readonly LoweredOp[] {
  const [, width] = sizeOf(step.output, lowering.sizes)
  const turning = turn(step, lowering)
  const input = turning?.output ?? step.input
  return [
    ...(turning === null ? [] : [turning]),
    loweredOp('attention', {
      input,
      second: input,
      output: step.output,
      heads: step.heads,
      scale: step.scale,
      keysAt: width,
      valuesAt: 2 * width,
      groups: step.groups,
      ...biasFields(step.bias),
      keyMask: step.mask?.kind ?? 'none',
      keyCounts: step.mask?.kind === 'keys' ? step.mask.counts : null,
    }),
  ]
}

function biasFields(bias: AttentionBias | null): Parameters<typeof loweredOp>[1] {
  if (bias === null) return {}
  const { kind, rows, columns } = bias
  const tables =
    kind === 'relative'
      ? { constant: bias.table }
      : { constant: bias.rowTable, columnTable: bias.columnTable }
  return { ...tables, scoreBias: kind, gridRows: rows, gridColumns: columns }
}

/** Norms and turns queries and keys on the way to attention; null where nothing is done to them. */
function turn(step: StepOf<'attention'>, { plan, sizes }: Lowering): LoweredOp | null {
  const { input, heads, queryNorm, keyNorm, rotary } = step
  if (queryNorm === null && keyNorm === null && rotary === null) return null
  const output = `${step.output} (turned q, k)`
  const [rows, width] = sizeOf(input, sizes)
  sizes.set(output, [rows, width])
  const fields = { input, output, heads, norm: queryNorm, keyNorm }
  if (rotary === null) return loweredOp('turn', fields)
  const [, tableWidth] = rowsAndWidth(rotary.table, constantOf(plan, rotary.table).shape)
  return loweredOp('turn', {
    ...fields,
    constant: rotary.table,
    // A token's table has two numbers for each column of a head, whose queries are a third of the input's columns.
    tables: (3 * heads * tableWidth) / (2 * width),
    pairsNeighbours: rotary.pairs === 'neighbours',
  })
}

/** A part of a slot holds the rows of all images, so that the rows of each input are brought together first, and then those of each image. */
function lowerStack({ inputs, output }: StepOf<'stackRows'>, { sizes }: Lowering): readonly LoweredOp[] {
  const [all, width] = sizeOf(output, sizes)
  const rows = all / inputs.length
  const byInput = `${output} (by input)`
  sizes.set(byInput, [all, width])
  return [
    ...inputs.map((input, index) =>
      loweredOp('sliceRows', { input, output: byInput, outputRows: [index * rows, rows] }),
    ),
    loweredOp('regroup', { input: byInput, output, groups: inputs.length, isBack: true }),
  ]
}
