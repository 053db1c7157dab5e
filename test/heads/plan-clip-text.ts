/** Plans the text tower of CLIP as transformers has it: ids go in, and rows of the token table are read for them. */
import type { Checkpoint } from '../../src/checkpoint/checkpoint.js'
import type { WeightSource } from '../../src/engine/engine.js'
import type { Plan, RowChoice, SlotName } from '../../src/engine/plan.js'
import { PlanBuilder } from '../../src/model/plan-builder.js'
import { concatenate } from '../../src/tensor/concatenate.js'
import type { Shape } from '../../src/tensor/shape.js'
import { toFloat32 } from '../../src/tensor/tensor.js'

export interface ClipText {
  readonly tokens: number
  readonly vocabulary: number
  readonly width: number
  readonly depth: number
  readonly heads: number
  readonly hidden: number
  readonly projection: number
  readonly choice: RowChoice
}

const TOWER = 'text_model'
const TABLE = `${TOWER}.embeddings.token_embedding.weight`
const EPSILON = 1e-5
const PARTS = ['q_proj', 'k_proj', 'v_proj']

/** @param positions [tokens, width] */
export function planClipText(
  { tokens, vocabulary, width, depth, heads, hidden, projection, choice }: ClipText,
  positions: Float32Array,
): Plan {
  const builder = new PlanBuilder()
  const ids = builder.slot('ids', [tokens, 1])
  const rows = builder.slot('rows', [tokens, width])
  const shape = [tokens, width]
  const norm = (input: SlotName, name: string) =>
    builder.norm(input, name, builder.normWeights(name, width, 'layerNorm', EPSILON))
  const add = (input: SlotName, branch: SlotName, output: SlotName) =>
    builder.step({ op: 'add', input, branch, output }, shape)
  builder.constants.set('positions', { shape, values: positions })
  let current = add(rows, 'positions', 'tokens_in')
  for (let block = 0; block < depth; block++) {
    const name = `${TOWER}.encoder.layers.${block}`
    const qkv = builder.linear(norm(current, `${name}.layer_norm1`), `${name}.qkv`, `${name}.qkv`, 3 * width)
    const mixed = builder.step(
      {
        op: 'attention',
        input: qkv,
        output: `${name}.attention`,
        heads,
        scale: (width / heads) ** -0.5,
        queryNorm: null,
        keyNorm: null,
        rotary: null,
        bias: null,
        mask: { kind: 'causal' },
        groups: 1,
      },
      shape,
    )
    const projected = builder.linear(mixed, `${name}.self_attn`, `${name}.self_attn.out_proj`, width)
    current = add(current, projected, `${name}.half`)
    const inner = builder.linear(
      norm(current, `${name}.layer_norm2`),
      `${name}.fc1`,
      `${name}.mlp.fc1`,
      hidden,
    )
    const active = builder.step(
      { op: 'activation', input: inner, output: `${name}.act`, kind: 'quick_gelu' },
      [tokens, hidden],
    )
    current = add(current, builder.linear(active, `${name}.mlp`, `${name}.mlp.fc2`, width), `blocks.${block}`)
  }
  const normed = norm(current, `${TOWER}.final_layer_norm`)
  const pooled = builder.step({ op: 'takeRow', input: normed, ids, output: 'pooler_output', choice }, [
    1,
    width,
  ])
  builder.linear(pooled, 'features', 'text_projection', projection, false)
  const { slots, steps, weights, constants } = builder
  return {
    inputs: [
      { kind: 'ids', slot: ids, count: vocabulary },
      { kind: 'rowsOfIds', slot: rows, ids, table: TABLE },
    ],
    slots,
    steps,
    weights,
    constants,
  }
}

export async function readPositions(checkpoint: Checkpoint): Promise<Float32Array> {
  return toFloat32(await checkpoint.read(`${TOWER}.embeddings.position_embedding.weight`))
}

/** Queries, keys and values are layers of their own in the file. */
export function clipTextWeights(checkpoint: Checkpoint): WeightSource {
  return {
    async read(name: string, shape: Shape) {
      const [, block, kind] = /^(.*)\.qkv\.(weight|bias)$/.exec(name) ?? []
      if (block === undefined) return toFloat32(await checkpoint.read(name, shape))
      const parts = PARTS.map((part) => checkpoint.read(`${block}.self_attn.${part}.${kind}`))
      return concatenate((await Promise.all(parts)).map(toFloat32))
    },
    async readRows(name, shape, rows) {
      if (checkpoint.readRows === undefined) throw new Error('A file gives single rows.')
      return toFloat32(await checkpoint.readRows(name, shape, rows))
    },
  }
}
