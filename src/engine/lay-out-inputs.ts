/**
 * Makes of several inputs, which are checked here, what engines read: all of an image one behind the other, then those of the next image. Rows of ids, which nobody
 * gives, are read for it.
 */
import { assertBatch } from './assert-batch.js'
import type { GivenInputs, WeightSource } from './engine.js'
import { EngineError } from './engine-error.js'
import { assertLength } from './lowered/weight-layout.js'
import type { IdsInput, Plan, PlanInput, RowsOfIdsInput, SlotName } from './plan.js'
import { inputLength, inputPlace, operandShape, rowsAndWidth, slotLength } from './plan-lookup.js'
import type { InputRecord } from './take-inputs.js'

/** Throws `wrong-size` or `unsupported` by the input's name, and what the source throws. */
export async function layOutInputs(
  plan: Plan,
  source: WeightSource,
  given: GivenInputs,
  batch: number,
): Promise<InputRecord> {
  const asked = plan.inputs.filter(({ kind }) => kind !== 'rowsOfIds')
  const values = valuesOf(given, asked, plan, batch)
  const record = new Float32Array(batch * inputLength(plan))
  for (const input of asked) {
    const own = values.get(input.slot) ?? new Float32Array()
    if (input.kind === 'ids') assertIds(own, input)
    put(record, own, plan, input.slot)
  }
  for (const input of plan.inputs) {
    if (input.kind === 'rowsOfIds') put(record, await rowsOf(input, values, plan, source), plan, input.slot)
  }
  return record
}

/** Finds the values of each input. Throws `wrong-size` or `unsupported` by the input's name. */
function valuesOf(
  given: GivenInputs,
  asked: readonly PlanInput[],
  plan: Plan,
  batch: number,
): ReadonlyMap<SlotName, Float32Array> {
  const [only, ...others] = asked
  const names = asked.map(({ slot }) => slot)
  if (given instanceof Float32Array) {
    if (only !== undefined && others.length === 0) {
      assertBatch(given, batch, slotLength(plan, only.slot))
      return new Map([[only.slot, given]])
    }
    throw new EngineError('unsupported', `This plan takes ${names.join(', ')}: give a map of them by name.`)
  }
  const wrong = [
    ...[...given.keys()].filter((name) => !names.includes(name)),
    ...names.filter((name) => !given.has(name)),
  ]
  if (wrong.length > 0) {
    throw new EngineError(
      'unsupported',
      `This plan takes ${names.join(', ')}; it was given ${[...given.keys()].join(', ') || 'nothing'}.`,
    )
  }
  for (const [name, values] of given) assertBatch(values, batch, slotLength(plan, name), name)
  return given
}

/** Puts the values of an input, image behind image, where each image has them. */
function put(record: InputRecord, values: Float32Array, plan: Plan, slot: SlotName): void {
  const { inputAt, inputLength: all } = inputPlace(plan, slot)
  const own = slotLength(plan, slot)
  for (let image = 0; image * all < record.length; image++) {
    record.set(values.subarray(image * own, (image + 1) * own), image * all + inputAt)
  }
}

function assertIds(ids: Float32Array, { slot, count }: IdsInput): void {
  const wrong = ids.find((id) => !(Number.isInteger(id) && id >= 0 && id < count))
  if (wrong === undefined) return
  throw new EngineError(
    'unsupported',
    `The input ${slot} holds the id ${wrong}; this network's are whole numbers from 0 to ${count - 1}. Take the tokenizer that belongs to it.`,
  )
}

async function rowsOf(
  { slot, ids, table }: RowsOfIdsInput,
  values: ReadonlyMap<SlotName, Float32Array>,
  plan: Plan,
  source: WeightSource,
): Promise<Float32Array> {
  const input = plan.inputs.find((one) => one.slot === ids)
  const own = values.get(ids)
  const [count, width] = rowsAndWidth(slot, operandShape(plan, slot))
  if (input?.kind !== 'ids' || own === undefined || slotLength(plan, ids) !== count) {
    throw new EngineError(
      'unsupported',
      `The plan contradicts itself at ${slot}: its ${count} rows are of the ids ${ids}.`,
    )
  }
  const rows = await source.readRows?.(table, [input.count, width], Array.from(own))
  if (rows === undefined) throw new Error(`Nothing reads rows of ${table}.`)
  assertLength(`rows of ${table}`, [own.length, width], rows)
  return rows
}
