/**
 * Plans a file whose matrices are in bytes: of a network that is written in whatever layout, each matrix that int8 multiplies becomes bytes with a scale for
 * each row, and all else stays as it is. An engine in int8 then multiplies the very numbers that it makes of the network itself.
 */
import type { Origin } from '../checkpoint/checkpoint.js'
import { CheckpointError } from '../checkpoint/checkpoint-error.js'
import {
  BYTES_SUFFIX,
  INT8_ENTRY,
  INT8_VERSION,
  SCALES_SUFFIX,
} from '../checkpoint/safetensors/int8-names.js'
import { given } from '../encoder/choose-recipe.js'
import { tellable } from '../encoder/hints-within.js'
import { planOf } from '../encoder/network.js'
import { CONFIG_FILES } from '../encoder/parse-config-files.js'
import { Arithmetic } from '../engine/lowered/arithmetic.js'
import { layOutWeights } from '../engine/lowered/weight-layout.js'
import type { StoredTensor } from '../formats/stored-tensor.js'
import type { StoredWeight } from '../model/dialects/stored-weight.js'
import type { VitModel } from '../model/read-vit.js'
import type { PlainRecord } from '../plain-value.js'
import { isLostInInt8, toInt8Rows } from '../tensor/int8.js'
import type { Shape } from '../tensor/shape.js'
import { toFloat32 } from '../tensor/tensor.js'
import { ConvertError } from './convert-error.js'
import type { Conversion } from './plan-conversion.js'

/** Gives the weights that int8 multiplies as bytes, with their shapes: not pixels, nor what a single row passes. */
async function int8Weights(vit: VitModel): Promise<ReadonlyMap<string, Shape>> {
  const { plan } = planOf(vit.config, await vit.readTables())
  const { places, shapes } = layOutWeights(plan, new Arithmetic('int8', []), () => 0)
  return new Map([...shapes].filter(([name]) => places.get(name)?.every(({ form }) => form === 'int8')))
}

/** Gives those of the weights that bytes hold, beside whose largest values the others are not lost, reading them one after the other. */
export async function heldInInt8(
  vit: VitModel,
  onRead: (name: string, shape: Shape, values: Float32Array) => Promise<void>,
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> {
  const held = new Set<string>()
  for (const [name, shape] of await int8Weights(vit)) {
    signal?.throwIfAborted()
    const values = await vit.weights.read(name, shape)
    await onRead(name, shape, values)
    if (!isLostInInt8(values, depthOf(shape))) held.add(name)
  }
  return held
}

/** @param held are the weights that bytes hold */
export function planInt8(
  conversion: Conversion,
  held: ReadonlySet<string>,
  {
    origin,
    vit,
    hasFolder,
  }: { readonly origin: Origin; readonly vit: VitModel; readonly hasFolder: boolean },
): Conversion {
  const { tensors, files, hints, entries, back } = conversion
  const inBytes = tensorsInBytes(back, held)
  if (inBytes.size === 0) {
    throw new ConvertError(
      'not-held',
      `${origin.model} has no matrix that bytes hold: its layout keeps none row by row, or beside the largest value of a row all others would be lost. It stays as it is.`,
    )
  }
  const within = hasFolder ? files.filter(({ name }) => CONFIG_FILES.includes(name)) : files
  // Birder's networks go by the names of their files, which a file that says all by itself may change.
  const network = vit.config.network ?? undefined
  const facts: PlainRecord = {
    version: INT8_VERSION,
    origin: { ...origin },
    files: Object.fromEntries(within.map(({ name, text }) => [name, text])),
    told: tellable(back.dialect === 'birder' ? { ...hints, ...given({ network }) } : hints),
  }
  return {
    ...conversion,
    tensors: tensors.flatMap((tensor) => (inBytes.has(tensor.name) ? asBytes(tensor) : [tensor])),
    entries: { ...entries, [INT8_ENTRY]: facts },
    files: files.filter((file) => !within.includes(file)),
    hints: {},
    held,
  }
}

/** Names the tensors of which every value belongs to a row of a weight that bytes hold. */
function tensorsInBytes(vit: VitModel, held: ReadonlySet<string>): ReadonlySet<string> {
  const fit = new Set<string>()
  const others = new Set<string>()
  const take = (stored: StoredWeight, depth: number | null) => {
    const areRows = stored.start !== undefined || stored.isStacked === true
    for (const { tensor, shape } of stored.parts)
      (areRows && shape.length > 1 && shape.at(-1) === depth ? fit : others).add(tensor)
  }
  for (const [name, shape] of vit.weightShapes)
    take(vit.storedAs.weight(name, shape), held.has(name) ? depthOf(shape) : null)
  for (const stored of vit.storedAs.tables.values()) take(stored, null)
  return new Set([...fit].filter((tensor) => !others.has(tensor)))
}

function depthOf(shape: Shape): number {
  const depth = shape.at(-1)
  if (depth === undefined) throw new Error('A matrix has a depth.')
  return depth
}

/** Scales follow their bytes, so that what both are made of is read once. */
function asBytes(tensor: StoredTensor): readonly StoredTensor[] {
  const { name, shape } = tensor
  let scales: Float32Array | null = null
  return [
    {
      name: name + BYTES_SUFFIX,
      dtype: 'I8',
      shape,
      async read() {
        const rows = toInt8Rows(toFloat32({ ...tensor, bytes: await tensor.read() }), depthOf(shape))
        assertFinite(name, rows.scales)
        scales = rows.scales
        return new Uint8Array(rows.bytes.buffer)
      },
    },
    {
      name: name + SCALES_SUFFIX,
      dtype: 'F32',
      shape: shape.slice(0, -1),
      async read() {
        if (scales === null) throw new Error(`The scales of ${name} are asked for before its bytes.`)
        return new Uint8Array(scales.buffer, scales.byteOffset, scales.byteLength)
      },
    },
  ]
}

function assertFinite(tensor: string, scales: Float32Array): void {
  if (scales.every((scale) => Number.isFinite(Math.fround(127 * scale)))) return
  throw new CheckpointError(
    'malformed',
    `${tensor} holds a NaN, or a value so large that no scale can be made of it. The checkpoint is damaged: fetch it again.`,
    { tensor },
  )
}
