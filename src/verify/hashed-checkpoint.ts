/**
 * Makes a checkpoint whose numbers are a hash of seed, name and index, so that a network of any size can be checked and timed without a file.
 * The hash and the scales by name pattern are those of the golden cases of kind `large`.
 */
import type { Checkpoint, TensorInfo } from '../checkpoint/checkpoint.js'
import { assertShape, CheckpointError } from '../checkpoint/checkpoint-error.js'
import { birder } from '../model/dialects/birder.js'
import type { VitHints } from '../model/dialects/dialect.js'
import { planVit } from '../model/plan-vit.js'
import { elementCount, type Shape } from '../tensor/shape.js'
import { float32Tensor } from '../tensor/tensor.js'

/**
 * @param network is a name of Birder's registry
 * @param size is the trained input size, in pixels (height, width)
 * @param overrides are config entries that replace the registered ones
 */
export function hashedCheckpoint(
  network: string,
  size: readonly [number, number],
  seed: string,
  overrides: VitHints['config'] = {},
): Checkpoint {
  const signature = { inputs: [{ data_shape: [0, 3, ...size] }], outputs: [{ data_shape: [0, 0] }] }
  const bare = {
    label: `${network} (hashed weights)`,
    format: 'safetensors',
    wrapping: '',
    dropped: [],
    choice: null,
    metadata: { signature },
  } as const
  const tensors = new Map<string, TensorInfo>()
  const config = birder.readConfig(
    { ...bare, tensors, read: () => Promise.reject(new Error('no tensors yet')) },
    { network, config: overrides },
  )
  const add = (name: string, shape: Shape) => {
    tensors.set(name, { dtype: 'F32', shape, byteLength: 4 * elementCount(shape) })
  }
  const grid = { rows: size[0] / config.patchSize, columns: size[1] / config.patchSize }
  for (const [name, shape] of planVit(config, grid, null).plan.weights) {
    for (const part of birder.source(name, shape, config, tensors).parts) add(part.tensor, part.shape)
  }
  for (const { parts } of birder.tables?.(config, tensors).values() ?? []) {
    for (const part of parts) add(part.tensor, part.shape)
  }
  const table = birder.positions(config)
  if (table !== null) {
    const shape = [table.special + grid.rows * grid.columns, config.width]
    const isGrid = table.isGrid === true ? [1, grid.rows, grid.columns, config.width] : [1, ...shape]
    add(table.tensor, table.isFlat ? shape : isGrid)
  }

  return {
    ...bare,
    tensors,
    async read(name, shape) {
      const info = tensors.get(name)
      if (info === undefined)
        throw new CheckpointError('missing-tensor', `${bare.label} has no tensor ${name}.`, { tensor: name })
      if (shape !== undefined) assertShape(name, info.shape, shape)
      const { offset, scale } = distribution(name, info.shape)
      return float32Tensor(hashedValues(seed, name, elementCount(info.shape), scale, offset), info.shape)
    },
  }
}

/** Element i is `u * scale + offset`, where u in [-1, 1) has the upper 24 bits of the hash; each operation rounds to float32. */
export function hashedValues(
  seed: string,
  name: string,
  count: number,
  scale: number,
  offset: number,
): Float32Array {
  const a = fnv1a32(`${seed}/${name}`)
  const b = fmix32(a ^ 0x9e3779b9)
  const [scale32, offset32] = [Math.fround(scale), Math.fround(offset)]
  const out = new Float32Array(count)
  for (let i = 0; i < count; i++) {
    const word = fmix32((fmix32(i ^ a) + b) | 0)
    const u = ((word >>> 8) - 0x800000) / 0x800000
    out[i] = Math.fround(Math.fround(u * scale32) + offset32)
  }
  return out
}

function distribution(name: string, shape: Shape): { offset: number; scale: number } {
  const fanIn = elementCount(shape.slice(1))
  if (/^(class|reg|dist)_tokens?$/.test(name)) return { offset: 0, scale: 1 }
  if (name === 'pos_embedding') return { offset: 0, scale: 0.5 }
  if (name.endsWith('gamma')) return { offset: 0.3, scale: 0.2 }
  if (/norm[12]?\.weight$/.test(name)) return { offset: 1, scale: 0.1 }
  // The golden cases have none; a variance must be above 0.
  if (name.endsWith('running_var')) return { offset: 1, scale: 0.5 }
  if (name.endsWith('.bias') || name.endsWith('running_mean')) return { offset: 0, scale: 0.1 }
  return { offset: 0, scale: (name.endsWith('qkv.weight') ? 1.5 : 1) * Math.sqrt(3 / fanIn) }
}

/** This is the finaliser of MurmurHash3 (Austin Appleby, public domain). A signed number is one that the machine holds in a register. */
function fmix32(x: number): number {
  let h = x
  h ^= h >>> 16
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/** This is FNV-1a (Fowler, Noll, Vo; public domain) over UTF-8. */
function fnv1a32(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
