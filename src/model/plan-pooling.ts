/** Plans the way from tokens to the embedding, and from the embedding to class scores. */
import type { SlotName } from '../engine/plan.js'
import { sizeAt } from '../tensor/shape.js'
import { POOLED_ROWS } from './grid-tables.js'
import { type ChosenWeights, type PlannedWeights, planHeads, rowsOf } from './inspection.js'
import type { PlanBuilder } from './plan-builder.js'
import {
  type AttentionPooling,
  type Classifier,
  type EmbeddingKind,
  LAST_CLASSES,
  specialTokens,
  type VitConfig,
} from './vit-config.js'

/** A classifier of two layers has this in its hidden norm (Birder net/base.py). */
const MLP_HEAD_EPSILON = 1e-6

export interface PlannedPooling {
  readonly embeddings: ReadonlyMap<EmbeddingKind, SlotName>
  readonly embedding: SlotName
  readonly logits: SlotName | null
  /** Is the attention of the pooling head; null where it was not asked for, or there is none. */
  readonly probe: PlannedWeights | null
}

/**
 * Plans every embedding that the network has. What nobody asks for is never computed.
 *
 * @param blocks holds each block's output, before the final norm, for a classifier that reads several
 * @param asked says of which heads of a pooling head attention is wanted; default: of none
 */
export function planPooling(
  builder: PlanBuilder,
  config: VitConfig,
  tokens: SlotName,
  blocks: readonly SlotName[],
  asked?: ChosenWeights,
): PlannedPooling {
  const { width, pooler, projection } = config
  const normed = (slot: SlotName, output: SlotName) =>
    config.finalNorm === 'pooled'
      ? builder.norm(slot, output, builder.normWeights('embedding_norm', width, config.norm, config.epsilon))
      : slot
  const pooled = pool(builder, config, tokens)
  let embedding = normed(pooled, 'embedding')
  const own = ownKind(config)
  const embeddings = new Map<EmbeddingKind, SlotName>([[own, embedding]])
  const simple = simplePools(builder, config, tokens)
  for (const [kind, slot] of simple) {
    if (!embeddings.has(kind)) embeddings.set(kind, normed(slot(), `embedding.${kind}`))
  }
  const [ofClass, ofMean] = [embeddings.get('class'), embeddings.get('mean')]
  if (ofClass !== undefined && ofMean !== undefined) {
    const inputs = [ofClass, ofMean]
    const both = builder.step({ op: 'stackRows', inputs, output: 'embedding.class-mean' }, [2, width])
    embeddings.set('class-mean', both)
  }
  if (pooler !== null) {
    const dense = builder.linear(embedding, 'pooler.dense', 'pooler', width)
    embedding = builder.step({ op: 'activation', input: dense, output: 'pooler', kind: pooler }, [1, width])
    embeddings.set('pooled', embedding)
  }
  const logits = classify(builder, config, embedding, { tokens, blocks })
  if (projection !== null) {
    embedding = builder.linear(embedding, 'projection', 'projection', projection, false)
    embeddings.set('projected', embedding)
  }
  return {
    embeddings,
    embedding: embeddings.get(config.embedding ?? defaultEmbedding(config)) ?? embedding,
    logits,
    probe: asked === undefined ? null : planProbe(builder, config, asked),
  }
}

/** Gives the weights with which the query of an attention pooling, as the plan has it, looks at the tokens. */
function planProbe(builder: PlanBuilder, config: VitConfig, asked: ChosenWeights): PlannedWeights | null {
  const pooling = builder.steps.find((step) => step.op === 'crossAttention')
  if (pooling === undefined || config.pooling.kind !== 'attention') return null
  const { query, keyValue, heads, scale } = pooling
  const output = 'attn_pool.weights'
  const { chosen, fusion, given } = planHeads(builder, output, asked, heads)
  const count = rowsOf(builder, keyValue)
  builder.step({ op: 'crossAttentionWeights', query, keyValue, output, heads, scale, chosen, fusion }, [
    given,
    count,
  ])
  const first = config.pooling.specialTokens ? 0 : specialTokens(config)
  const keys = first === 0 ? null : Array.from({ length: count }, (_, key) => first + key)
  return { slot: output, heads: given, rows: [{ token: 0, keys }] }
}

/** Says which embedding the library that wrote the file gives: the last of its own. */
export function defaultEmbedding(config: VitConfig): EmbeddingKind {
  if (config.projection !== null) return 'projected'
  return config.pooler === null ? ownKind(config) : 'pooled'
}

/** Says what the pooling by itself gives, before any layer behind it. */
function ownKind({ pooling }: VitConfig): EmbeddingKind {
  if (pooling.kind === 'class') return 'class'
  return pooling.kind === 'mean' && pooling.specialTokens !== true ? 'mean' : 'pooled'
}

/** Gives the embeddings that every network of such tokens has, beside its own. */
function simplePools(
  builder: PlanBuilder,
  config: VitConfig,
  tokens: SlotName,
): ReadonlyMap<EmbeddingKind, () => SlotName> {
  const { width, classToken } = config
  const rows = sizeAt(builder.shapeOf(tokens), 0)
  const mean = () =>
    builder.step(
      {
        op: 'meanRows',
        input: builder.slice(tokens, 'pool.mean.patches', specialTokens(config), rows),
        output: 'pool.mean.rows',
      },
      [1, width],
    )
  return new Map<EmbeddingKind, () => SlotName>([
    ...(classToken ? [['class', () => builder.slice(tokens, 'pool.class', 0, 1)] as const] : []),
    ['mean', mean],
  ])
}

function pool(builder: PlanBuilder, config: VitConfig, tokens: SlotName): SlotName {
  const { pooling, width } = config
  const patches = () =>
    builder.slice(tokens, 'pool.patches', specialTokens(config), sizeAt(builder.shapeOf(tokens), 0))
  switch (pooling.kind) {
    case 'class':
      return builder.slice(tokens, 'pooled', 0, 1)
    case 'class-max': {
      const inputs = [
        builder.slice(tokens, 'pool.first', 0, 1),
        builder.step({ op: 'maxRows', input: patches(), output: 'pool.max' }, [1, width]),
      ]
      return builder.step({ op: 'stackRows', inputs, output: 'pooled' }, [2, width])
    }
    case 'special-mean': {
      const input = gather(builder, pooling.rows, tokens)
      return builder.step({ op: 'meanRows', input, output: 'pooled' }, [1, width])
    }
    case 'special-rows':
      return gather(builder, pooling.rows, tokens)
    case 'mean':
    case 'max':
    case 'mean-max': {
      const input = pooling.specialTokens === true ? tokens : patches()
      return poolRows(builder, pooling.kind, input, width)
    }
    case 'attention':
      return attentionPool(builder, config, pooling, pooling.specialTokens ? tokens : patches())
    case 'probe': {
      const keys = pooling.specialTokens ? tokens : patches()
      const values = builder.linear(keys, 'attn_pool.v', 'attn_pool.v', width)
      const latents = builder.weight('attn_pool.latent', [pooling.latents, width])
      const { heads } = pooling
      const scale = (width / heads) ** -0.5
      return builder.step({ op: 'probeAttention', latents, keys, values, output: 'pooled', heads, scale }, [
        1,
        width,
      ])
    }
  }
}

/** Takes rows that lie anywhere among the tokens. Those that follow each other are cut out, which every engine can do. */
function gather(builder: PlanBuilder, rows: readonly number[] | number, input: SlotName): SlotName {
  const output = 'pool.gathered'
  if (typeof rows === 'number') {
    const width = sizeAt(builder.shapeOf(input), 1)
    return builder.step({ op: 'gatherRows', input, output, index: POOLED_ROWS }, [rows, width])
  }
  const [from = 0] = rows
  if (rows.every((row, index) => row === from + index))
    return builder.slice(input, output, from, from + rows.length)
  return builder.gather(input, output, rows, POOLED_ROWS)
}

/** Halfway between mean and largest is half of their sum; the half is a constant of the plan. */
function poolRows(
  builder: PlanBuilder,
  kind: 'mean' | 'max' | 'mean-max',
  input: SlotName,
  width: number,
): SlotName {
  const rows = (op: 'meanRows' | 'maxRows', output: SlotName) =>
    builder.step({ op, input, output }, [1, width])
  if (kind === 'mean') return rows('meanRows', 'pooled')
  if (kind === 'max') return rows('maxRows', 'pooled')
  const branch = rows('maxRows', 'pool.max')
  const sum = builder.step({ op: 'add', input: rows('meanRows', 'pool.mean'), branch, output: 'pool.sum' }, [
    1,
    width,
  ])
  builder.constants.set('pool.half', { shape: [1, width], values: new Float32Array(width).fill(0.5) })
  return builder.step({ op: 'gate', gate: 'pool.half', value: sum, output: 'pooled', kind: 'identity' }, [
    1,
    width,
  ])
}

/**
 * In Birder's MultiHeadAttentionPool a learnt query attends to the tokens, and a feed-forward net with a residual follows; in AIMv2's head the query is
 * taken as it is, and nothing follows.
 */
function attentionPool(
  builder: PlanBuilder,
  { width }: VitConfig,
  { heads, epsilon, hidden, activation, norm = 'layerNorm' }: AttentionPooling,
  tokens: SlotName,
): SlotName {
  const latent = builder.weight('attn_pool.latent', [1, width])
  const seed = builder.step({ op: 'broadcast', weight: latent, output: 'attn_pool.latent' }, [1, width])
  const query = hidden === null ? seed : builder.linear(seed, 'attn_pool.q', 'attn_pool.q', width)
  const keyValue = builder.linear(tokens, 'attn_pool.kv', 'attn_pool.kv', 2 * width)
  const attended = builder.step(
    {
      op: 'crossAttention',
      query,
      keyValue,
      output: 'attn_pool.heads',
      heads,
      scale: (width / heads) ** -0.5,
    },
    [1, width],
  )
  const last = hidden === null ? 'pooled' : 'attn_pool.proj'
  const projected = builder.linear(attended, last, 'attn_pool.proj', width)
  if (hidden === null) return projected
  const normed = builder.norm(
    projected,
    'attn_pool.norm',
    builder.normWeights('attn_pool.norm', width, norm, epsilon),
  )
  const branch = builder.feedForward(normed, 'attn_pool.mlp', { hidden, width, kind: activation })
  return builder.step({ op: 'add', input: projected, branch, output: 'pooled' }, [1, width])
}

/** Is what a classifier may read beside the embedding. */
interface ClassifierInput {
  /** Is [T, D], behind the final norm. */
  readonly tokens: SlotName
  /** Hold each block's output, before it. */
  readonly blocks: readonly SlotName[]
}

function classify(
  builder: PlanBuilder,
  config: VitConfig,
  embedding: SlotName,
  { tokens, blocks }: ClassifierInput,
): SlotName | null {
  const { classifier, width } = config
  if (classifier === null) return null
  if (classifier.kind === 'class-and-mean') return classifyBoth(builder, config, classifier, tokens)
  if (classifier.kind === 'last-classes' || classifier.kind === 'last-classes-and-mean')
    return classifyLast(builder, config, classifier, { tokens, blocks })
  if (classifier.kind === 'distilled') return classifyDistilled(builder, classifier, tokens)
  if (classifier.kind === 'linear')
    return builder.linear(embedding, 'logits', 'classifier', classifier.classes, classifier.bias)
  if (classifier.kind === 'tanh') {
    const inner = builder.linear(embedding, 'classifier.0', 'classifier.0', width)
    const active = builder.step({ op: 'activation', input: inner, output: 'classifier.1', kind: 'tanh' }, [
      1,
      width,
    ])
    return builder.linear(active, 'logits', 'classifier.2', classifier.classes, classifier.bias)
  }
  const inner = builder.linear(embedding, 'classifier.0', 'classifier.0', 3 * width)
  const active = builder.step({ op: 'activation', input: inner, output: 'classifier.1', kind: 'gelu' }, [
    1,
    3 * width,
  ])
  const normed = builder.norm(
    active,
    'classifier.2',
    builder.normWeights('classifier.2', 3 * width, 'layerNorm', MLP_HEAD_EPSILON),
  )
  return builder.linear(normed, 'logits', 'classifier.3', classifier.classes, classifier.bias)
}

/** A matrix over class token and mean patch side by side is the sum of one over each. */
function classifyBoth(
  builder: PlanBuilder,
  config: VitConfig,
  { classes, bias }: Classifier,
  tokens: SlotName,
): SlotName {
  const first = builder.slice(tokens, 'classifier.class', 0, 1)
  const ofClass = builder.linear(first, 'logits.class', 'classifier.class', classes, bias)
  const branch = classifyMean(builder, config, classes, tokens)
  return builder.step({ op: 'add', input: ofClass, branch, output: 'logits' }, [1, classes])
}

/** Gives the scores of the mean patch, without a bias. */
function classifyMean(builder: PlanBuilder, config: VitConfig, classes: number, tokens: SlotName): SlotName {
  const rows = sizeAt(builder.shapeOf(tokens), 0)
  const patches = builder.slice(tokens, 'classifier.patches', specialTokens(config), rows)
  const input = builder.step({ op: 'meanRows', input: patches, output: 'classifier.mean' }, [1, config.width])
  return builder.linear(input, 'logits.mean', 'classifier.mean', classes, false)
}

/** A matrix over several tokens side by side is the sum of one over each. The final norm works on each row alone, so that only class tokens need pass it. */
function classifyLast(
  builder: PlanBuilder,
  config: VitConfig,
  { classes, bias, kind }: Classifier,
  { tokens, blocks }: ClassifierInput,
): SlotName {
  const { width, norm, epsilon } = config
  const weights = () => builder.normWeights('norm', width, norm, epsilon)
  const parts = blocks.slice(-LAST_CLASSES).map((block, index) => {
    const row = builder.slice(block, `classifier.row.${index}`, 0, 1)
    const input = builder.norm(row, `classifier.normed.${index}`, weights())
    return builder.linear(input, `logits.${index}`, `classifier.${index}`, classes, bias && index === 0)
  })
  if (kind === 'last-classes-and-mean') parts.push(classifyMean(builder, config, classes, tokens))
  return parts.reduce((input, branch, index) => {
    const output = index === parts.length - 1 ? 'logits' : `logits.sum.${index}`
    return builder.step({ op: 'add', input, branch, output }, [1, classes])
  })
}

/** Each of the two matrices holds half of what the file does, so that their sum is the mean of both scores. */
function classifyDistilled(builder: PlanBuilder, { classes, bias }: Classifier, tokens: SlotName): SlotName {
  const head = (name: 'class' | 'distillation', row: number) => {
    const input = builder.slice(tokens, `classifier.${name}`, row, row + 1)
    return builder.linear(input, `logits.${name}`, `classifier.${name}`, classes, bias)
  }
  return builder.step(
    { op: 'add', input: head('class', 0), branch: head('distillation', 1), output: 'logits' },
    [1, classes],
  )
}
