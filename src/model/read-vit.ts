/** From an open checkpoint to a vision transformer: which dialect, which network, and its weights under their canonical names. */
import type { Checkpoint, TensorInfo } from '../checkpoint/checkpoint.js'
import { assertShape, CheckpointError } from '../checkpoint/checkpoint-error.js'
import type { WeightSource } from '../engine/engine.js'
import type { Shape } from '../tensor/shape.js'
import { toFloat32 } from '../tensor/tensor.js'
import { birder } from './dialects/birder.js'
import type { Dialect, DialectName, VitHints } from './dialects/dialect.js'
import { facebook } from './dialects/facebook.js'
import { huggingFace } from './dialects/hugging-face.js'
import { timm } from './dialects/timm.js'
import { planVit } from './plan-vit.js'
import type { VitConfig } from './vit-config.js'

export interface VitModel {
  readonly config: VitConfig
  readonly dialect: DialectName
  /** Canonical names, read from the checkpoint one at a time. */
  readonly weights: WeightSource
  /** All canonical weights with their shapes: the parameters, but for the position table. */
  readonly weightShapes: ReadonlyMap<string, Shape>
  /** float32 [rows * columns, D] of the stored grid; null for a network without a table. Read once. */
  readPositions(): Promise<Float32Array | null>
  /** The first tensor that holds a NaN or an infinity, or null: asked for when a result is not finite. */
  findNonFinite(): Promise<string | null>
}

/** The order matters: timm recognises what facebook would, less its mask token. */
const DIALECTS: readonly Dialect[] = [birder, huggingFace, facebook, timm]

/**
 * Judges the whole checkpoint by its headers: every weight must be there with its shape, and nothing else. No tensor is read.
 * Throws `CheckpointError`: `unknown-dialect`, `unsupported-network`, `contradiction`, `missing-tensor`, `unexpected-tensor`, `wrong-shape`.
 */
export function readVit(checkpoint: Checkpoint, hints: VitHints = {}): VitModel {
  const dialect = DIALECTS.find(({ recognises }) => recognises(checkpoint.tensors))
  if (dialect === undefined) throw unknownDialect(checkpoint)
  const config = dialect.readConfig(checkpoint, hints)
  // A lying config must not make a plan of a million steps: every block and expert has tensors of its own.
  if (Math.max(config.depth, config.experts?.count ?? 0) > checkpoint.tensors.size) {
    throw new CheckpointError(
      'contradiction',
      `${checkpoint.label}: the config says ${config.depth} blocks, and the file has only ${checkpoint.tensors.size} tensors.`,
    )
  }

  const { positions } = config
  const table = positions === null ? null : dialect.positions(config)
  const cells = positions === null ? 0 : positions.rows * positions.columns
  const tableShape = table === null ? [] : [1, table.special + cells, config.width]
  const grid = { rows: config.size[0] / config.patchSize, columns: config.size[1] / config.patchSize }
  const weightShapes = planVit(config, grid, null).plan.weights

  const stored = (name: string, shape: Shape) => dialect.source(name, shape, config)
  const used = new Set<string>()
  const judge = (tensor: string, shape: Shape) => {
    used.add(tensor)
    assertShape(tensor, infoOf(checkpoint, tensor, dialect.name).shape, shape)
  }
  for (const [name, shape] of weightShapes)
    for (const part of stored(name, shape).parts) judge(part.tensor, part.shape)
  if (table !== null) judge(table.tensor, tableShape)
  for (const tensor of checkpoint.tensors.keys()) {
    if (!used.has(tensor) && !dialect.ignores(tensor)) throw unexpected(checkpoint, tensor)
  }

  let readTable: Promise<Float32Array> | null = null
  return {
    config,
    dialect: dialect.name,
    weightShapes,
    weights: {
      async read(name, shape) {
        const { parts, combine } = stored(name, shape)
        const values = await Promise.all(
          parts.map(async (part) => toFloat32(await checkpoint.read(part.tensor, part.shape))),
        )
        return combine === undefined ? values[0] : combine(values)
      },
    },
    async readPositions() {
      if (table === null) return null
      readTable ??= checkpoint.read(table.tensor, tableShape).then(toFloat32)
      return (await readTable).subarray(table.special * config.width)
    },
    findNonFinite: () => findNonFinite(checkpoint, used),
  }
}

function infoOf(checkpoint: Checkpoint, tensor: string, dialect: DialectName): TensorInfo {
  const info = checkpoint.tensors.get(tensor)
  if (info !== undefined) return info
  throw new CheckpointError(
    'missing-tensor',
    `${checkpoint.label} has no tensor ${tensor}, which the ${dialect} layout of this network needs. ` +
      'Is the file of another network, or only a part of one?',
    { tensor },
  )
}

function unexpected(checkpoint: Checkpoint, tensor: string): CheckpointError {
  return new CheckpointError(
    'unexpected-tensor',
    `${checkpoint.label} has a tensor ${tensor} that this network does not use. Is it the file of another network?`,
    { tensor },
  )
}

function unknownDialect({ label, tensors }: Checkpoint): CheckpointError {
  const first = [...tensors.keys()].slice(0, 3).join(', ')
  return new CheckpointError(
    'unknown-dialect',
    `${label} holds ${tensors.size} tensors (${first}${tensors.size > 3 ? ', …' : ''}) in no known layout. ` +
      `Known are the vision transformers of ${DIALECTS.map(({ name }) => name).join(', ')}.`,
  )
}

async function findNonFinite(checkpoint: Checkpoint, tensors: ReadonlySet<string>): Promise<string | null> {
  for (const tensor of tensors) {
    const values = toFloat32(await checkpoint.read(tensor))
    if (!values.every(Number.isFinite)) return tensor
  }
  return null
}
