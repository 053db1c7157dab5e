/** Takes what a run is given, as copies: the caller may overwrite its pixels, or transfer them away, while they are read. */
import { assertBatch } from './assert-batch.js'
import type { GivenInputs, WeightSource } from './engine.js'
import { EngineError } from './engine-error.js'
import type { Plan } from './plan.js'
import { inputLength } from './plan-lookup.js'

/** Is all that a run is given, those of one image behind those of the other, as engines read it. */
export type InputRecord = Float32Array<ArrayBuffer>
/** Throws, or rejects, where what is given is not what the plan takes. */
export type TakeInputs = (given: GivenInputs, batch: number) => InputRecord | Promise<InputRecord>

/**
 * Only heads and texts have several inputs, or ids: what they need comes with their first run, so that pages which show images are sent nothing of it.
 *
 * Throws `unsupported` where the plan reads rows of a table that the source cannot give.
 */
export function takeInputs(plan: Plan, source: WeightSource): TakeInputs {
  const [first, ...others] = plan.inputs
  if (source.readRows === undefined) assertNoRows(plan)
  return (given, batch) => {
    const isPlain = first?.kind !== 'ids' && others.length === 0
    if (isPlain && given instanceof Float32Array) {
      assertBatch(given, batch, inputLength(plan))
      return new Float32Array(given)
    }
    const copy =
      given instanceof Float32Array
        ? given.slice()
        : new Map([...given].map(([slot, own]) => [slot, own.slice()]))
    return import('./lay-out-inputs.js').then(({ layOutInputs }) => layOutInputs(plan, source, copy, batch))
  }
}

function assertNoRows({ inputs }: Plan): void {
  const rows = inputs.find((input) => input.kind === 'rowsOfIds')
  if (rows === undefined) return
  throw new EngineError(
    'unsupported',
    `The plan reads rows of ${rows.table} while it runs, and its weights come from where single rows cannot be read: open the checkpoint as a file.`,
  )
}
