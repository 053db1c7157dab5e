/**
 * Plans the tensors of a network in another layout: the target's table of places is walked backwards, from each canonical weight to the tensors that it
 * is a part of. Values are read when a tensor is asked for, so that one tensor and one weight are in memory at a time.
 */
import type { StoredTensor } from '../formats/stored-tensor.js'
import type { StoredPart, StoredWeight } from '../model/dialects/stored-weight.js'
import { POSITIONS } from '../model/grid-tables.js'
import { isFloatType } from '../tensor/dtype.js'
import type { StoredFloat } from '../tensor/narrow.js'
import { elementCount, type Shape } from '../tensor/shape.js'
import { toFloat32 } from '../tensor/tensor.js'
import type { ConvertSource, Storing } from './convert-source.js'
import type { ConvertedConfig } from './told-by-values.js'
import type { MadeTensor, PositionsPlace, Writer } from './writer.js'

/** Is a weight that lies, whole or in part, in a tensor that is written. */
interface Share {
  readonly weight: string
  readonly shape: Shape
  readonly target: StoredWeight
  readonly part: number
}

export function planWritten(
  source: ConvertSource,
  writer: Writer,
  storing: Storing,
): readonly StoredTensor[] {
  const config = asWritten(source.config, writer)
  const reader = new WeightReader(source)
  const planned = [...sharesOf(source, writer, config)].map(([name, { shape, shares }]): StoredTensor => {
    const values = async () => {
      const own = new Float32Array(elementCount(shape))
      for (const share of shares) await reader.put(share, own)
      return own
    }
    if (shares.some(({ target }) => target.areNumbers))
      return { name, shape, dtype: 'I64', read: async () => asNumbers(await values()) }
    const dtype = storing.dtype ?? reader.typeOf(shares)
    return { name, shape, dtype, read: async () => storing.narrowing.take(name, await values(), dtype) }
  })
  const usual = reader.usualType()
  const further = (writer.further?.(config) ?? []).map((part) =>
    besideNetwork(source, part, { storing, usual }),
  )
  const made = (writer.made?.(config) ?? []).map((tensor) => madeTensor(tensor, storing))
  return [...planned, ...further, ...made]
}

/** Lists the tensors of a network in the layout, but for those that it has beside it. */
export function namesOf(source: ConvertSource, writer: Writer): readonly string[] {
  return [...sharesOf(source, writer, asWritten(source.config, writer)).keys()]
}

/** The layout decides whether its table has rows for special tokens. */
function asWritten(config: ConvertedConfig, writer: Writer): ConvertedConfig {
  const { positions } = config
  const special = writer.positions?.(config).special ?? 0
  return positions === null ? config : { ...config, positions: { ...positions, specialRows: special > 0 } }
}

/** Lists the tensors in the order of the weights, each with its shape and the weights that lie in it. */
function sharesOf(
  { vit }: ConvertSource,
  writer: Writer,
  config: ConvertedConfig,
): ReadonlyMap<string, { readonly shape: Shape; readonly shares: readonly Share[] }> {
  const tensors = new Map<string, { readonly shape: Shape; readonly shares: Share[] }>()
  const add = (weight: string, shape: Shape, target: StoredWeight) => {
    if (target.put === undefined)
      throw new Error(`The layout of ${writer.library} keeps ${weight} in a form that it is not made from.`)
    for (const [part, { tensor, shape: own }] of target.parts.entries()) {
      const found = tensors.get(tensor) ?? { shape: own, shares: [] }
      tensors.set(tensor, found)
      found.shares.push({ weight, shape, target, part })
    }
  }
  for (const [weight, shape] of vit.weightShapes) add(weight, shape, writer.source(weight, shape, config))
  for (const [table, target] of tableTargets(writer, config)) add(table, [], target)
  return tensors
}

/** Says where all tables go that depend on the grid. */
function tableTargets(writer: Writer, config: ConvertedConfig): ReadonlyMap<string, StoredWeight> {
  const targets = new Map(writer.tables?.(config))
  const place = writer.positions?.(config)
  if (config.positions !== null && place !== undefined && !targets.has(POSITIONS))
    targets.set(POSITIONS, positionsTarget(place, config))
  return targets
}

/** The rows of special tokens come first, and those of the patches behind them. */
function positionsTarget(
  { tensor, special, isFlat = false }: PositionsPlace,
  { positions, width }: ConvertedConfig,
): StoredWeight {
  const { rows, columns } = positions ?? { rows: 0, columns: 0 }
  const table = [special + rows * columns, width]
  return {
    parts: [{ tensor, shape: isFlat ? table : [1, ...table] }],
    combine: (all: Float32Array) => all.subarray(special * width),
    put: (values, into) => into.set(values, special * width),
  }
}

class WeightReader {
  readonly #source: ConvertSource
  /** Holds the last weight, which is asked for again where a layout keeps it in pieces. */
  #last: { readonly name: string; readonly values: Promise<Float32Array> } | null = null

  constructor(source: ConvertSource) {
    this.#source = source
  }

  /** Puts what a tensor has of a weight to its place. */
  async put({ weight, shape, target, part }: Share, into: Float32Array): Promise<void> {
    const apart = this.#keptApart(weight, shape, target)
    if (apart === null) {
      target.put?.(await this.#read(weight, shape), into, part)
    } else if (part === 0) {
      into.set(await this.#part(apart.token))
    } else {
      const rows = await this.#part(apart.table)
      into.set(rows.subarray(apart.from, apart.from + elementCount(shape)), target.positionsAt)
    }
  }

  /**
   * Gives the type that all weights of a tensor have in the source, which holds them as they are; float32 where they have several, and where they are
   * computed and not merely arranged.
   */
  typeOf(shares: readonly Share[]): StoredFloat {
    const { vit, checkpoint } = this.#source
    const types = shares.flatMap(({ weight, shape, target }) => {
      const table = vit.storedAs.tables.get(weight)
      const stored = table ?? vit.storedAs.weight(weight, shape)
      const isSum = stored.positionsAt !== undefined && target.positionsAt === undefined
      const isArranged = table !== undefined || (stored.put !== undefined && !isSum)
      return isArranged ? stored.parts.map(({ tensor }) => checkpoint.tensors.get(tensor)?.dtype) : [null]
    })
    // Zeros are of any type.
    if (types.length === 0) return this.usualType()
    const [first] = types
    const isOne = types.every((type) => type === first)
    return isOne && first !== undefined && first !== null && isFloatType(first) ? first : 'F32'
  }

  /** Gives the type of the first weight, which what no weight tells may have too. */
  usualType(): StoredFloat {
    const { vit, checkpoint } = this.#source
    const [part] = [...vit.weightShapes].flatMap(([name, shape]) => vit.storedAs.weight(name, shape).parts)
    const type = part === undefined ? undefined : checkpoint.tensors.get(part.tensor)?.dtype
    return type !== undefined && isFloatType(type) ? type : 'F32'
  }

  /** Where both layouts have rows of positions for a token, the two stay apart, so that their files have the same bytes. */
  #keptApart(weight: string, shape: Shape, { positionsAt }: StoredWeight) {
    if (positionsAt === undefined) return null
    const stored = this.#source.vit.storedAs.weight(weight, shape)
    const [token, table] = stored.parts
    if (stored.positionsAt === undefined || token === undefined || table === undefined) return null
    return { token, table, from: stored.positionsAt }
  }

  async #part({ tensor, shape }: StoredPart): Promise<Float32Array> {
    return toFloat32(await this.#source.checkpoint.read(tensor, shape))
  }

  #read(name: string, shape: Shape): Promise<Float32Array> {
    if (this.#last?.name !== name) this.#last = { name, values: this.#readAnew(name, shape) }
    return this.#last.values
  }

  async #readAnew(name: string, shape: Shape): Promise<Float32Array> {
    const { vit } = this.#source
    if (!vit.storedAs.tables.has(name)) return await vit.weights.read(name, shape)
    const table = (await vit.readTables()).get(name)
    if (table === undefined) throw new Error(`The table ${name} of this network was not read.`)
    return table
  }
}

/** A mask token has one name in all layouts, but for what stands in front; one that the source lacks is zeros, of the usual type. */
function besideNetwork(
  { checkpoint }: ConvertSource,
  { tensor, shape }: StoredPart,
  { storing, usual }: { readonly storing: Storing; readonly usual: StoredFloat },
): StoredTensor {
  const last = tensor.split('.').at(-1)
  const found = [...checkpoint.tensors].find(
    ([name, info]) => name.split('.').at(-1) === last && elementCount(info.shape) === elementCount(shape),
  )
  const [name, info] = found ?? []
  const own = info !== undefined && isFloatType(info.dtype) ? info.dtype : usual
  const dtype = storing.dtype ?? own
  return {
    name: tensor,
    shape,
    dtype,
    async read() {
      const values =
        name === undefined ? new Float32Array(elementCount(shape)) : toFloat32(await checkpoint.read(name))
      return storing.narrowing.take(tensor, values, dtype)
    },
  }
}

function asNumbers(values: Float32Array): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(8 * values.length))
  for (const [at, value] of values.entries()) bytes.setBigInt64(8 * at, BigInt(value), true)
  return new Uint8Array(bytes.buffer)
}

/** Rounding it would make another config of it. */
function madeTensor({ tensor, shape, values }: MadeTensor, { narrowing }: Storing): StoredTensor {
  return { name: tensor, shape, dtype: 'F32', read: async () => narrowing.take(tensor, values, 'F32') }
}
