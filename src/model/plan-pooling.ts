/** Plans the way from tokens to the embedding, and from the embedding to class scores. */
import type { SlotName } from '../engine/plan.js'
import { sizeAt } from '../tensor/shape.js'
import type { PlanBuilder } from './plan-builder.js'
import { type AttentionPooling, type Classifier, specialTokens, type VitConfig } from './vit-config.js'

/** A classifier of two layers has this in its hidden norm (Birder net/base.py). */
const MLP_HEAD_EPSILON = 1e-6

export function planPooling(
  builder: PlanBuilder,
  config: VitConfig,
  tokens: SlotName,
): { embedding: SlotName; logits: SlotName | null } {
  const pooled = pool(builder, config, tokens)
  const embedding =
    config.finalNorm === 'pooled'
      ? builder.norm(
          pooled,
          'embedding',
          builder.normWeights('embedding_norm', config.width, config.norm, config.epsilon),
        )
      : pooled
  return { embedding, logits: classify(builder, config, embedding, tokens) }
}

function pool(builder: PlanBuilder, config: VitConfig, tokens: SlotName): SlotName {
  const { pooling, width } = config
  const slice = (output: SlotName, from: number, to: number) =>
    builder.step({ op: 'sliceRows', input: tokens, output, from, to }, [to - from, width])
  const patches = () => slice('pool.patches', specialTokens(config), sizeAt(builder.shapeOf(tokens), 0))
  switch (pooling.kind) {
    case 'class':
      return slice('pooled', 0, 1)
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

/** In Birder's MultiHeadAttentionPool a learnt query attends to the tokens, and a feed-forward net with a residual follows. */
function attentionPool(
  builder: PlanBuilder,
  { width }: VitConfig,
  { heads, epsilon, hidden, activation }: AttentionPooling,
  tokens: SlotName,
): SlotName {
  const latent = builder.weight('attn_pool.latent', [1, width])
  const seed = builder.step({ op: 'broadcast', weight: latent, output: 'attn_pool.latent' }, [1, width])
  const query = builder.linear(seed, 'attn_pool.q', 'attn_pool.q', width)
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
  const projected = builder.linear(attended, 'attn_pool.proj', 'attn_pool.proj', width)
  const normed = builder.norm(
    projected,
    'attn_pool.norm',
    builder.normWeights('attn_pool.norm', width, 'layerNorm', epsilon),
  )
  const branch = builder.feedForward(normed, 'attn_pool.mlp', hidden, width, activation)
  return builder.step({ op: 'add', input: projected, branch, output: 'pooled' }, [1, width])
}

function classify(
  builder: PlanBuilder,
  config: VitConfig,
  embedding: SlotName,
  tokens: SlotName,
): SlotName | null {
  const { classifier, width } = config
  if (classifier === null) return null
  if (classifier.kind === 'class-and-mean') return classifyBoth(builder, config, classifier, tokens)
  if (classifier.kind === 'linear')
    return builder.linear(embedding, 'logits', 'classifier', classifier.classes, classifier.bias)
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
  const { width } = config
  const rows = sizeAt(builder.shapeOf(tokens), 0)
  const slice = (output: SlotName, from: number, to: number) =>
    builder.step({ op: 'sliceRows', input: tokens, output, from, to }, [to - from, width])
  const first = slice('classifier.class', 0, 1)
  const patches = slice('classifier.patches', specialTokens(config), rows)
  const mean = builder.step({ op: 'meanRows', input: patches, output: 'classifier.mean' }, [1, width])
  const ofClass = builder.linear(first, 'logits.class', 'classifier.class', classes, bias)
  const branch = builder.linear(mean, 'logits.mean', 'classifier.mean', classes, false)
  return builder.step({ op: 'add', input: ofClass, branch, output: 'logits' }, [1, classes])
}
