/** One step of a plan by its kernels: the meaning of each member of the instruction set, in code. */
import { ACTIVATIONS, activate } from '../../kernels/activation.js'
import { attention } from '../../kernels/attention.js'
import { layerNorm } from '../../kernels/layer-norm.js'
import { linear } from '../../kernels/linear.js'
import { patchify } from '../../kernels/patchify.js'
import { probeAttention } from '../../kernels/probe-attention.js'
import { rmsNorm } from '../../kernels/rms-norm.js'
import { combineSlots, dispatchTokens } from '../../kernels/soft-moe.js'
import type { Attention, NormWeights, Plan, SlotName, SoftMoe, Step } from '../plan.js'

export interface StepContext {
  readonly plan: Plan
  readonly weights: ReadonlyMap<string, Float32Array>
  readonly slots: ReadonlyMap<SlotName, Float32Array>
  /** The output slot's memory, zeros. */
  readonly out: Float32Array
}

export function runStep(step: Step, context: StepContext): void {
  const { out } = context
  const slot = (name: SlotName) => found(context.slots, name)
  const weight = (name: string) => found(context.weights, name)
  switch (step.op) {
    case 'patchify':
      patchify(slot(step.input), step, out)
      return
    case 'linear':
      linear(
        slot(step.input),
        weight(step.weight),
        step.bias === null ? null : weight(step.bias),
        rowsOf(step.input, context),
        out,
      )
      return
    case 'assembleTokens': {
      const [head, registers] = [step.classToken, step.registers].map((name) =>
        name === null ? [] : weight(name),
      )
      const patches = slot(step.input)
      const first = head.length + registers.length
      out.set(head)
      out.set(registers, head.length)
      out.set(patches, first)
      if (step.positions === null) return
      const positions = found(context.plan.constants, step.positions)
      for (let i = 0; i < patches.length; i++) out[first + i] += positions[i]
      return
    }
    case 'norm':
      normalise(step, slot(step.input), out, context)
      return
    case 'attention':
      selfAttention(step, slot(step.input), context)
      return
    case 'activation':
      activate(step.kind, slot(step.input), out)
      return
    case 'gate': {
      const f: (x: number) => number = ACTIVATIONS[step.kind]
      const [gate, value] = [slot(step.gate), slot(step.value)]
      for (let i = 0; i < out.length; i++) out[i] = f(gate[i]) * value[i]
      return
    }
    case 'scale': {
      const [x, gamma] = [slot(step.input), weight(step.gamma)]
      for (let i = 0; i < out.length; i++) out[i] = x[i] * gamma[i % gamma.length]
      return
    }
    case 'add': {
      const [x, branch] = [slot(step.input), slot(step.branch)]
      for (let i = 0; i < out.length; i++) out[i] = x[i] + branch[i]
      return
    }
    case 'sliceRows': {
      const width = widthOf(step.input, context)
      out.set(slot(step.input).subarray(step.from * width, step.to * width))
      return
    }
    case 'meanRows': {
      const x = slot(step.input)
      const rows = rowsOf(step.input, context)
      for (let c = 0; c < out.length; c++) {
        let sum = 0
        for (let at = c; at < x.length; at += out.length) sum += x[at]
        out[c] = sum / rows
      }
      return
    }
    case 'broadcast':
      out.set(weight(step.weight))
      return
    case 'crossAttention': {
      const [rows, keys] = [rowsOf(step.query, context), rowsOf(step.keyValue, context)]
      const width = widthOf(step.query, context)
      const keyValue = { data: slot(step.keyValue), rows: keys, stride: 2 * width }
      attention(
        { data: slot(step.query), rows, stride: width, offset: 0 },
        { ...keyValue, offset: 0 },
        { ...keyValue, offset: width },
        step.heads,
        width / step.heads,
        step.scale,
        out,
      )
      return
    }
    case 'probeAttention': {
      const width = widthOf(step.keys, context)
      probeAttention(
        weight(step.latents),
        slot(step.keys),
        slot(step.values),
        width,
        step.heads,
        step.scale,
        out,
      )
      return
    }
    case 'softMoe':
      softMoe(step, context)
      return
    default:
      step satisfies never
  }
}

function normalise(norm: NormWeights, x: Float32Array, out: Float32Array, { weights }: StepContext): void {
  const weight = found(weights, norm.weight)
  if (norm.kind === 'rmsNorm') rmsNorm(x, weight, norm.epsilon, out)
  else layerNorm(x, weight, norm.bias === null ? null : found(weights, norm.bias), norm.epsilon, out)
}

function selfAttention(step: Attention, qkv: Float32Array, context: StepContext): void {
  const width = widthOf(step.output, context)
  const rows = rowsOf(step.output, context)
  const part = (index: number, norm: NormWeights | null) => {
    const data = new Float32Array(rows * width)
    for (let r = 0; r < rows; r++) {
      const from = r * 3 * width + index * width
      data.set(qkv.subarray(from, from + width), r * width)
    }
    // A head's width is the norm's width, so the same memory read as [rows * heads, headWidth] is what it needs.
    if (norm !== null) normalise(norm, data, data, context)
    return { data, rows, stride: width, offset: 0 }
  }
  const [q, k, v] = [part(0, step.queryNorm), part(1, step.keyNorm), part(2, null)]
  attention(q, k, v, step.heads, width / step.heads, step.scale, context.out)
}

function softMoe(step: SoftMoe, context: StepContext): void {
  const x = found(context.slots, step.input)
  const tokens = rowsOf(step.input, context)
  const width = widthOf(step.input, context)
  const weight = (name: string) => found(context.weights, name)
  const slotWeights = weight(step.slots)
  const slotCount = slotWeights.length / width
  const perExpert = slotCount / step.experts.length

  const normed = new Float32Array(x.length)
  normalise(step.tokenNorm, x, normed, context)
  const logits = new Float32Array(tokens * slotCount)
  linear(normed, slotWeights, null, tokens, logits)

  const received = new Float32Array(slotCount * width)
  dispatchTokens(logits, x, tokens, received)
  const answered = new Float32Array(slotCount * width)
  step.experts.forEach((expert, index) => {
    const part = (data: Float32Array) =>
      data.subarray(index * perExpert * width, (index + 1) * perExpert * width)
    const bias1 = weight(expert.bias1)
    const hidden = new Float32Array(perExpert * bias1.length)
    linear(part(received), weight(expert.weight1), bias1, perExpert, hidden)
    activate(step.kind, hidden, hidden)
    linear(hidden, weight(expert.weight2), weight(expert.bias2), perExpert, part(answered))
  })
  combineSlots(logits, answered, tokens, context.out)
}

function found<T>(map: ReadonlyMap<string, T>, name: string): T {
  const value = map.get(name)
  if (value === undefined) throw new Error(`the plan names ${name}, which does not exist`)
  return value
}

const rowsOf = (slot: SlotName, { plan }: StepContext) => found(plan.slots, slot)[0]
const widthOf = (slot: SlotName, { plan }: StepContext) => found(plan.slots, slot)[1]
