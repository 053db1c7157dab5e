/** Makes a vision transformer of an open checkpoint, among some dialects: which of them, which network, and its weights under their canonical names. */

import { checkOptionNames } from '../check-option-names.js'
import { type Checkpoint, type Origin, placeOf } from '../checkpoint/checkpoint.js'
import { assertShape, CheckpointError } from '../checkpoint/checkpoint-error.js'
import type { StoredValues, WeightSource } from '../engine/engine.js'
import type { Preparation } from '../image/preparation.js'
import { BYTES_PER_ELEMENT, isFloatType } from '../tensor/dtype.js'
import { elementCount, type Shape } from '../tensor/shape.js'
import { toFloat32 } from '../tensor/tensor.js'
import { judgeBeside } from './checkpoint-entries.js'
import { birder } from './dialects/birder.js'
import { type Dialect, type DialectName, VIT_HINTS, type VitHints } from './dialects/dialect.js'
import { headAssumptions, headSource, refuseOtherFiles, withHeadFile } from './dialects/head-file.js'
import { headerOf } from './dialects/headers.js'
import { refuseAlikeNetworks, refuseForeignNetworks } from './dialects/other-families.js'
import type { StoredPart, StoredWeight } from './dialects/stored-weight.js'
import { POSITIONS, type StoredTables } from './grid-tables.js'
import { type Labels, labelsOf, NO_LABELS } from './labels.js'
import type { LeftOverKind } from './left-over.js'
import { isRouted } from './plan-experts.js'
import { defaultEmbedding } from './plan-pooling.js'
import { planVit } from './plan-vit.js'
import type { PatchGrid } from './positions.js'
import { type EmbeddingKind, tokenWidth, type VitConfig } from './vit-config.js'

/** Is a vision transformer in an open checkpoint: its config, and its weights as they are asked for. */
export interface VitModel {
  /** Says which network it is. */
  readonly config: VitConfig
  /** Names the library whose layout the file has. */
  readonly dialect: DialectName
  /** Reads weights by their canonical names, one at a time. */
  readonly weights: WeightSource
  /** Holds the shapes of all canonical weights, which are the parameters but for the position table. */
  readonly weightShapes: ReadonlyMap<string, Shape>
  /** Holds the names of the classes, or why they are left aside. */
  readonly labels: Labels
  /** Says in whole sentences what no file has told and was assumed; whoever loads the model should be told. */
  readonly assumptions: readonly string[]
  /** Names the fields that were passed over because a person said so, in alphabetical order; they count for the identity. */
  readonly ignoredFields: readonly string[]
  /** Tells of which network this one was made, whose matrices are in bytes; null for all others. */
  readonly origin: Origin | null
  /** Says what each tensor is that the network does not use. */
  readonly leftOver: ReadonlyMap<string, LeftOverKind>
  /** Says where the file keeps each weight of a name and shape, and the tables that depend on the grid, for whoever writes them anew. */
  readonly storedAs: {
    /** Gives the place of a canonical weight. */
    weight(name: string, shape: Shape): StoredWeight
    /** Holds the places of the tables that depend on the grid, by the names of grid-tables.ts. */
    readonly tables: ReadonlyMap<string, StoredWeight>
  }
  /** Gives what the model's files say about making input, or null. Throws `CheckpointError` for what is not followed here. */
  readPreparation(): Preparation | null
  /**
   * Gives the stored tables that depend on the grid, float32, by the names of grid-tables.ts: positions without the rows of special tokens,
   * [rows * columns, D], and what rotary or relative positions have learnt. They are read once. Throws `CheckpointError` where the file cannot be read.
   */
  readTables(): Promise<StoredTables>
  /**
   * Names the first tensor that holds a NaN or an infinity, or null. It reads all, so it is asked when a result is not finite. Throws as reading
   * does.
   */
  findNonFinite(): Promise<string | null>
}

/** Does what `readVit` does, among these dialects alone; the first that recognises the tensors reads them. Throws what that throws. */
export function readAmong(dialects: readonly Dialect[], checkpoint: Checkpoint, hints: VitHints): VitModel {
  checkOptionNames(hints, VIT_HINTS)
  const dialect = dialectOf(dialects, checkpoint, hints)
  const config = configOf(dialect, checkpoint, hints)
  const tables = tablesOf(dialect, config, checkpoint)
  const grid = { rows: config.size[0] / config.patchSize, columns: config.size[1] / config.patchSize }
  const { plan, slots } = planVit(config, grid, null)
  refuseOtherEmbeddings(checkpoint, hints, [...slots.embeddings.keys()])
  const ignoredFields = [...new Set(hints.ignoreFields)].sort()

  const stored = (name: string, shape: Shape) =>
    headSource(name, shape, config, checkpoint) ?? dialect.source(name, shape, config, checkpoint.tensors)
  const needed = [...plan.weights].flatMap(([name, shape]) => stored(name, shape).parts)
  for (const { parts } of tables.values()) needed.push(...parts)
  const leftOver = judgeTensors(checkpoint, dialect, needed)

  const readParts = async ({ parts, combine }: StoredWeight) => {
    const values = parts.map(async (part) => toFloat32(await checkpoint.read(part.tensor, part.shape)))
    return combine(...(await Promise.all(values)))
  }
  let readTables: Promise<StoredTables> | null = null
  return {
    config,
    dialect: dialect.name,
    weightShapes: plan.weights,
    labels: config.classifier === null ? NO_LABELS : labelsOf(checkpoint, hints, config.classifier.classes),
    assumptions: [
      ...(dialect.assumptions?.(checkpoint, hints) ?? []),
      ...headAssumptions(checkpoint, hints),
      ...ignoredAssumptions(checkpoint, ignoredFields),
    ],
    ignoredFields,
    origin: checkpoint.int8?.origin ?? null,
    leftOver,
    storedAs: { weight: stored, tables },
    readPreparation: () => dialect.readPreparation?.(checkpoint, hints) ?? null,
    weights: {
      read: (name, shape) => readParts(stored(name, shape)),
      stored: (name, shape) => storedValues(checkpoint, stored(name, shape), shape),
    },
    readTables() {
      readTables ??= Promise.all(
        [...tables].map(async ([name, source]) => [name, await readParts(source)] as const),
      ).then((read) => new Map(read))
      return readTables
    },
    findNonFinite: () => findNonFinite(checkpoint, new Set(needed.map(({ tensor }) => tensor))),
  }
}

/** Says what nobody here can vouch for. */
function ignoredAssumptions({ label }: Checkpoint, names: readonly string[]): readonly string[] {
  if (names.length === 0) return []
  return [
    `Of ${label} ${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} passed over, since ignoreFields (--ignore-field) says that no feature rests on it; that this was said is part of the identity.`,
  ]
}

function dialectOf(dialects: readonly Dialect[], checkpoint: Checkpoint, hints: VitHints): Dialect {
  const dialect = dialects.find(
    ({ recognises, claims }) =>
      recognises(checkpoint.tensors, hints) && (claims === undefined || claims(checkpoint, hints)),
  )
  refuseForeignNetworks(checkpoint, hints)
  if (dialect?.isCertain !== true) refuseAlikeNetworks(checkpoint, hints)
  if (dialect === undefined) throw unknownDialect(checkpoint, dialects)
  refuseUselessHints(checkpoint, dialect, hints)
  refuseOtherFiles(checkpoint)
  judgeBeside(checkpoint, { own: dialect.entries?.(checkpoint) ?? null, ignored: hints.ignoreFields })
  return dialect
}

function configOf(dialect: Dialect, checkpoint: Checkpoint, hints: VitHints): VitConfig {
  const told = withHeadFile(checkpoint, hints, dialect.readConfig(checkpoint, hints))
  const config: VitConfig = {
    ...told,
    embedding: hints.embedding ?? told.embedding ?? defaultEmbedding(told),
    ...(hints.normalisation === undefined ? {} : { rgbStats: hints.normalisation }),
  }
  refuseEndless(checkpoint, config)
  refuseOtherHeads(checkpoint, config)
  return config
}

/** Finds a weight whose values lie in the file as they are, in one place or in parts one below the other; null where an engine cannot read them itself. */
async function storedValues(
  checkpoint: Checkpoint,
  { parts, start, isStacked = false }: StoredWeight,
  shape: Shape,
): Promise<StoredValues | null> {
  const isWhole = isStacked && parts.length * elementCount(parts[0]?.shape ?? []) === elementCount(shape)
  if (start === undefined && !isWhole) return null
  const extents = await Promise.all(parts.map((part) => checkpoint.extentOf?.(part.tensor, part.shape)))
  const [first, ...others] = extents
  if (first == null) return null
  const { descriptor, dtype } = first
  // A row of the weight must be one of the tensor, which has one scale for it.
  const depth = shape.length === 2 ? shape.at(-1) : undefined
  const areRows = depth !== undefined && parts.every((part) => part.shape.at(-1) === depth)
  if (!isFloatType(dtype) && !(dtype === 'I8' && areRows)) return null
  if (others.some((one) => one?.descriptor !== descriptor || one.dtype !== dtype)) return null
  const from = start ?? 0
  const places = extents.flatMap((extent) => {
    if (extent == null) return []
    const offset = extent.offset + BYTES_PER_ELEMENT[dtype] * from
    const { scales } = extent
    return scales === undefined || depth === undefined
      ? [{ offset }]
      : [{ offset, scales: scales + (BYTES_PER_ELEMENT.F32 * from) / depth }]
  })
  return { descriptor, dtype, places }
}

/** A file of another library would pass over settings in Birder's words, and its numbers would be taken for what was asked for. */
function refuseUselessHints(
  { label }: Checkpoint,
  { name }: Dialect,
  { network, architecture, config = {}, patchSize }: VitHints,
): void {
  if (architecture !== undefined && name !== 'timm') {
    throw new CheckpointError(
      'contradiction',
      `${label} is laid out as in ${name}, and was asked for as timm's ${architecture}: what of that its files mean cannot be told. Name its repository itself.`,
    )
  }
  if (name === birder.name) return
  if (patchSize !== undefined) {
    throw new CheckpointError(
      'contradiction',
      `${label} is laid out as in ${name}, and the option patchSize (--patch-size) is for Birder's FlexiViT: leave it out.`,
    )
  }
  const [key] = Object.keys(config)
  if (network === undefined && key === undefined) return
  const what =
    network === undefined
      ? `config sets ${key}, in the words of Birder's networks`
      : `network (--network) is ${JSON.stringify(network)}, which names one of Birder's networks`
  throw new CheckpointError(
    'contradiction',
    `${label} is laid out as in ${name}, and the option ${what}: leave it out, or give a file of Birder's. ` +
      'Heads and levels are told by heads and normalisation (--heads, --normalisation).',
  )
}

function refuseOtherEmbeddings(
  { label }: Checkpoint,
  { embedding }: VitHints,
  kinds: readonly EmbeddingKind[],
): void {
  if (embedding === undefined || kinds.includes(embedding)) return
  throw new CheckpointError(
    'contradiction',
    `${label} has no embedding ${embedding} (option embedding, --embedding); it has ${kinds.join(', ')}.`,
  )
}

/** A lying config must not make a plan of a million steps: every block and expert has tensors of its own. */
function refuseEndless({ label, tensors }: Checkpoint, { depth, experts }: VitConfig): void {
  const fine = experts !== null && isRouted(experts) ? experts.fine : null
  const counts = [
    [depth, 'blocks'],
    [(experts?.count ?? 0) + (fine?.shared ?? 0) + (fine?.special ?? 0), 'experts in a block'],
  ] as const
  const endless = counts.find(([count]) => count > tensors.size)
  if (endless === undefined) return
  throw new CheckpointError(
    'contradiction',
    `${label}: the config says ${endless.join(' ')}, and the file has only ${tensors.size} tensors.`,
  )
}

/** Tensors look the same with any number of heads, whose share of the width must be whole, and for rotary positions of two axes in pairs. */
function refuseOtherHeads({ label }: Checkpoint, config: VitConfig): void {
  const { heads, width, rotary, pooling } = config
  const shares = rotary === null ? 1 : rotary.bands.kind === 'mixed' ? 2 : 4
  const isShare = (count: number, of: number, each: number) =>
    Number.isInteger(count) && count > 0 && of % (count * each) === 0
  if (!isShare(heads, width, shares)) throw otherHeads(label, heads, width, shares)
  const pooled = tokenWidth(config)
  if ('heads' in pooling && !isShare(pooling.heads, pooled, 1))
    throw otherHeads(`${label}, in what pools its tokens`, pooling.heads, pooled, 1)
}

function otherHeads(label: string, heads: number, width: number, shares: number): CheckpointError {
  const what = shares === 1 ? '' : ` into rotary positions, ${shares} numbers or a multiple for each`
  return new CheckpointError(
    'contradiction',
    `${label}: ${heads} heads do not divide its width ${width}${what}. Either the config (num_attention_heads, num_heads) belongs to another network than the weights, ` +
      'or the number was given wrongly (heads, --heads).',
  )
}

/** Says where the stored tables are kept; that of positions gives its patches' rows. */
function tablesOf(
  dialect: Dialect,
  config: VitConfig,
  { tensors }: Checkpoint,
): ReadonlyMap<string, StoredWeight> {
  const tables = new Map(dialect.tables?.(config, tensors))
  const { positions, width } = config
  const table = dialect.positions(config)
  if (positions === null || table === null || tables.has(POSITIONS)) return tables
  const { tensor, special } = table
  const shape = [special + positions.rows * positions.columns, width]
  return tables.set(POSITIONS, {
    parts: [{ tensor, shape: tableShape(table, shape, positions) }],
    combine: (rows: Float32Array) => rows.subarray(special * width),
  })
}

function tableShape(
  { isFlat = false, isGrid = false }: { readonly isFlat?: boolean; readonly isGrid?: boolean },
  shape: Shape,
  { rows, columns }: PatchGrid,
): Shape {
  if (isGrid) return [1, rows, columns, ...shape.slice(1)]
  return isFlat ? shape : [1, ...shape]
}

/** Every tensor that is needed must be there with its shape, and no other that the dialect does not know: gives those that it knows. */
function judgeTensors(
  checkpoint: Checkpoint,
  dialect: Dialect,
  needed: readonly StoredPart[],
): ReadonlyMap<string, LeftOverKind> {
  const used = new Set<string>()
  for (const { tensor, shape } of needed) {
    used.add(tensor)
    assertShape(tensor, headerOf(checkpoint, tensor, dialect.name).shape, shape)
  }
  const leftOver = new Map<string, LeftOverKind>()
  for (const tensor of checkpoint.tensors.keys()) {
    if (used.has(tensor)) continue
    const kind = dialect.leftOver?.(tensor, checkpoint.tensors) ?? null
    if (kind === null) throw unexpected(checkpoint, tensor)
    leftOver.set(tensor, kind)
  }
  return leftOver
}

function unexpected(checkpoint: Checkpoint, tensor: string): CheckpointError {
  const [file, name] = placeOf(checkpoint, tensor)
  return new CheckpointError(
    'unexpected-tensor',
    `${file} has a tensor ${name} that this network does not use. Is it the file of another network?`,
    { tensor },
  )
}

function unknownDialect({ label, tensors }: Checkpoint, dialects: readonly Dialect[]): CheckpointError {
  const first = [...tensors.keys()].slice(0, 3).join(', ')
  return new CheckpointError(
    'unknown-dialect',
    `${label} holds ${tensors.size} tensors (${first}${tensors.size > 3 ? ', …' : ''}) in no known layout. ` +
      `Known are the vision transformers of ${[...new Set(dialects.map(({ name }) => name))].join(', ')}.`,
  )
}

async function findNonFinite(checkpoint: Checkpoint, tensors: ReadonlySet<string>): Promise<string | null> {
  for (const tensor of tensors) {
    const values = toFloat32(await checkpoint.read(tensor))
    if (!values.every(Number.isFinite)) return tensor
  }
  return null
}
