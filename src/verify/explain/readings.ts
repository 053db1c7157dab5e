/** Lists what people take out of a network as the vector of an image. All of it comes from one run, so that every reading of it costs next to nothing. */

import { slotValues } from '../../encoder/network.js'
import type { SlotName } from '../../engine/plan.js'
import type { VitPlan } from '../../model/plan-vit.js'
import { specialTokens, tokenWidth, type VitConfig } from '../../model/vit-config.js'

/** Is one way to read a vector from a run. */
export interface Reading {
  /** Names it, to end the sentence "the vector is …". */
  readonly what: string
  readonly values: Float32Array
}

/** Names the slots that the readings need. */
export function slotsToRead({ slots }: VitPlan): readonly SlotName[] {
  const last = slots.blocks.at(-1)
  const logits = slots.logits === null ? [] : [slots.logits]
  return [
    ...new Set([
      ...slots.embeddings.values(),
      slots.tokens,
      ...(last === undefined ? [] : [last]),
      ...logits,
    ]),
  ]
}

/** Gives every reading that has as many numbers as the vector. */
export function readingsOf(
  { slots }: VitPlan,
  config: VitConfig,
  values: ReadonlyMap<SlotName, Float32Array>,
  length: number,
): readonly Reading[] {
  const readings: Reading[] = []
  for (const [kind, slot] of slots.embeddings) {
    readings.push({ what: `the embedding "${kind}"`, values: slotValues(values, slot) })
  }
  const last = slots.blocks.at(-1)
  const read = (slot: SlotName, when: string) =>
    poolsOf(config, slot === slots.tokens ? tokenWidth(config) : config.width, slotValues(values, slot), when)
  readings.push(...read(slots.tokens, 'after the last norm'))
  if (last !== undefined && last !== slots.tokens) {
    readings.push(...read(last, 'before the last norm'))
  }
  if (slots.logits !== null) {
    readings.push({ what: 'the scores of the classifier (logits)', values: slotValues(values, slots.logits) })
  }
  return readings.filter((reading) => reading.values.length === length)
}

function poolsOf(config: VitConfig, width: number, tokens: Float32Array, when: string): readonly Reading[] {
  const { classToken, registers } = config
  const special = specialTokens(config)
  const rows = tokens.length / width
  const row = (index: number) => tokens.subarray(index * width, (index + 1) * width)
  const mean = (from: number, to: number) => pool(tokens, width, from, to, (a, b) => a + b, to - from)
  const firstPatch = mean(special, rows)
  return [
    ...(classToken ? [{ what: `the class token ${when}`, values: row(0) }] : []),
    ...(registers > 0 ? [{ what: `the first register ${when}`, values: row(classToken ? 1 : 0) }] : []),
    { what: `the mean of the patches ${when}`, values: firstPatch },
    {
      what: `the largest value of the patches ${when}`,
      values: pool(tokens, width, special, rows, Math.max, 1),
    },
    ...(special > 0 ? [{ what: `the mean of all tokens ${when}`, values: mean(0, rows) }] : []),
    ...(special > 1 ? [{ what: `the mean of all tokens but the first ${when}`, values: mean(1, rows) }] : []),
    ...(classToken
      ? [
          {
            what: `class token and mean of the patches side by side, ${when}`,
            values: sideBySide(row(0), firstPatch),
          },
          {
            what: `mean of the patches and class token side by side, ${when}`,
            values: sideBySide(firstPatch, row(0)),
          },
        ]
      : []),
    { what: `all patches one after the other, ${when}`, values: tokens.subarray(special * width) },
    { what: `all tokens one after the other, ${when}`, values: tokens },
  ]
}

function pool(
  tokens: Float32Array,
  width: number,
  from: number,
  to: number,
  join: (a: number, b: number) => number,
  divisor: number,
): Float32Array {
  const sums = Float64Array.from(tokens.subarray(from * width, (from + 1) * width))
  for (let at = (from + 1) * width; at < to * width; at++) {
    sums[at % width] = join(sums[at % width] ?? Number.NaN, tokens[at] ?? Number.NaN)
  }
  return Float32Array.from(sums, (sum) => sum / divisor)
}

function sideBySide(a: Float32Array, b: Float32Array): Float32Array {
  const out = new Float32Array(a.length + b.length)
  out.set(a)
  out.set(b, a.length)
  return out
}
