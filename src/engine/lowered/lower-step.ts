/** Turns one step of a plan into operations, before anything is fused. */
import type { AttentionBias, ChosenHeads, KernelPass, Plan, SelfAttention, Step } from '../plan.js'
import { constantOf, inputPlace, rowsAndWidth, weightShape } from '../plan-lookup.js'
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
  patchify: ({ layout, input, output, channels, height, width, patch, stride }, { plan }) => [
    loweredOp(layout === 'planes' ? 'patchifyPlanes' : 'patchifyRows', {
      ...(layout === 'planes' ? inputPlace(plan, input) : { input }),
      output,
      channels,
      planeHeight: height,
      planeWidth: width,
      patchSize: patch,
      patchStride: stride,
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
  takeRow: ({ input, ids, output, choice }) => [
    loweredOp('takeRow', {
      input,
      second: ids,
      output,
      takesLargest: choice.kind === 'largest',
      id: choice.kind === 'first' ? choice.id : 0,
    }),
  ],
  conv2d: (step, { arithmetic }) => [
    loweredOp('conv2d', {
      input: step.input,
      output: step.output,
      weight: { name: step.weight, form: arithmetic.precisionOfKernels(step.weight) },
      bias: step.bias,
      ...passFields(step),
    }),
  ],
  transposedConv2d: lowerTransposed,
  resize: ({ input, output, height, width, rows, columns }, { plan }) => {
    const [newWidth, twice] = rowsAndWidth(columns, constantOf(plan, columns).shape)
    return [
      loweredOp('resize', {
        input,
        output,
        constant: rows,
        columnTable: columns,
        planeHeight: height,
        planeWidth: width,
        gridColumns: newWidth,
        taps: twice / 2,
      }),
    ]
  },
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
  attentionWeights: lowerAttentionWeights,
  crossAttentionWeights: (step, { plan }) => [
    loweredOp('attentionWeights', {
      input: step.query,
      second: step.keyValue,
      output: step.output,
      heads: step.heads,
      scale: step.scale,
      ...headFields(step, plan),
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

function passFields({ height, width, kernel, stride, padding }: KernelPass) {
  return { planeHeight: height, planeWidth: width, patchSize: kernel, patchStride: stride, padding }
}

/** Each place makes its patch of the picture by a product; then patches are added up where they lie. */
function lowerTransposed(
  step: StepOf<'transposedConv2d'>,
  { plan, sizes, arithmetic }: Lowering,
): readonly LoweredOp[] {
  const { input, output, weight, bias } = step
  const patches = `${output} (patches)`
  sizes.set(patches, [sizeOf(input, sizes)[0], rowsAndWidth(weight, weightShape(plan, weight))[0]])
  return [
    loweredOp('linear', {
      input,
      output: patches,
      weight: { name: weight, form: arithmetic.precisionOfKernels(weight) },
    }),
    loweredOp('foldPatches', { input: patches, output, bias, ...passFields(step) }),
  ]
}

function rowsForm(name: string): WeightRef {
  return { name, form: 'rows' }
}

function lowerAttention(step: StepOf<'attention'>, lowering: Lowering): readonly LoweredOp[] {
  const { turning, fields } = selfAttention(step, lowering)
  const { output } = step
  return [...turning, loweredOp('attention', { ...fields, output, valuesAt: 2 * fields.keysAt })]
}

function lowerAttentionWeights(step: StepOf<'attentionWeights'>, lowering: Lowering): readonly LoweredOp[] {
  const { turning, fields } = selfAttention(step, lowering)
  const { output, rows } = step
  const asked = { output, rowIndex: rows, ...headFields(step, lowering.plan) }
  return [...turning, loweredOp('attentionWeights', { ...fields, ...asked })]
}

/** Gives what makes queries and keys, and the fields that say how they are multiplied. */
function selfAttention(step: SelfAttention, lowering: Lowering) {
  const turning = turn(step, lowering)
  const input = turning?.output ?? step.input
  const fields = {
    input,
    second: input,
    heads: step.heads,
    scale: step.scale,
    keysAt: sizeOf(step.input, lowering.sizes)[1] / 3,
    groups: step.groups,
    ...biasFields(step.bias),
    keyMask: step.mask?.kind ?? ('none' as const),
    keyCounts: step.mask?.kind === 'keys' ? step.mask.counts : null,
  }
  return { turning: turning === null ? [] : [turning], fields }
}

function headFields({ chosen, fusion, heads }: ChosenHeads & Pick<SelfAttention, 'heads'>, plan: Plan) {
  const headCount = chosen === null ? heads : rowsAndWidth(chosen, constantOf(plan, chosen).shape)[0]
  return { headIndex: chosen, headCount, headFusion: fusion }
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

/**
 * Norms and turns queries and keys on the way to attention; null where nothing is done to them. The slot is named after all that is done, so that those
 * who look at one attention share it.
 */
function turn(step: SelfAttention, { plan, sizes }: Lowering): LoweredOp | null {
  const { input, heads, queryNorm, keyNorm, rotary } = step
  if (queryNorm === null && keyNorm === null && rotary === null) return null
  const output = `${input} (turned q, k: ${JSON.stringify([heads, queryNorm, keyNorm, rotary])})`
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
