/** Plans one transformer block, which is x + scale(attention(norm x)), then x + scale(feed-forward(norm x)). */
import type { NormWeights, SlotName } from '../engine/plan.js'
import type { PlanBuilder } from './plan-builder.js'
import type { Experts, VitConfig } from './vit-config.js'

export function planBlock(builder: PlanBuilder, config: VitConfig, index: number, input: SlotName): SlotName {
  const name = `encoder.block.${index}`
  const norm = (part: string) =>
    builder.normWeights(`${name}.${part}`, config.width, config.norm, config.epsilon)

  const attended = planAttention(
    builder,
    config,
    `${name}.attn`,
    builder.norm(input, `${name}.norm1`, norm('norm1')),
  )
  const middle = addBranch(builder, config, `${name}.layer_scale_1`, input, attended, `${name}.middle`)

  const normed = builder.norm(middle, `${name}.norm2`, norm('norm2'))
  // Experts stand in the upper half of the blocks only.
  const experts = index >= Math.floor(config.depth / 2) ? config.experts : null
  const mixed =
    experts === null
      ? planMlp(builder, config, `${name}.mlp`, normed)
      : planSoftMoe(builder, config, experts, `${name}.mlp`, normed)
  return addBranch(builder, config, `${name}.layer_scale_2`, middle, mixed, name)
}

function addBranch(
  builder: PlanBuilder,
  config: VitConfig,
  scaleName: string,
  input: SlotName,
  branch: SlotName,
  output: SlotName,
): SlotName {
  const shape = builder.shapeOf(input)
  let scaled = branch
  if (config.layerScale) {
    const gamma = builder.weight(`${scaleName}.gamma`, [config.width])
    scaled = builder.step({ op: 'scale', input: branch, output: scaleName, gamma }, shape)
  }
  return builder.step({ op: 'add', input, branch: scaled, output }, shape)
}

function planAttention(builder: PlanBuilder, config: VitConfig, name: string, input: SlotName): SlotName {
  const { width, heads } = config
  const headWidth = width / heads
  const qkv = builder.linear(input, `${name}.qkv`, `${name}.qkv`, 3 * width, config.qkvBias)
  const headNorm = (part: string): NormWeights | null =>
    config.queryKeyNorm
      ? builder.normWeights(`${name}.${part}`, headWidth, config.norm, config.epsilon)
      : null
  let merged = builder.step(
    {
      op: 'attention',
      input: qkv,
      output: config.attentionNorm ? `${name}.merged` : `${name}.heads`,
      heads,
      scale: headWidth ** -0.5,
      queryNorm: headNorm('q_norm'),
      keyNorm: headNorm('k_norm'),
      rotary: null,
      bias: null,
      mask: null,
      groups: 1,
    },
    builder.shapeOf(input),
  )
  if (config.attentionNorm) {
    merged = builder.norm(
      merged,
      `${name}.heads`,
      builder.normWeights(`${name}.norm`, width, config.norm, config.epsilon),
    )
  }
  return builder.linear(merged, `${name}.proj`, `${name}.proj`, width)
}

function planMlp(builder: PlanBuilder, config: VitConfig, name: string, input: SlotName): SlotName {
  const { width, hidden, activation } = config
  if (config.mlp !== 'swiglu' && config.mlp !== 'normSwiglu') {
    return builder.feedForward(input, name, hidden, width, activation)
  }
  const gate = builder.linear(input, `${name}.fc1_g`, `${name}.fc1_g`, hidden)
  const value = builder.linear(input, `${name}.fc1_x`, `${name}.fc1_x`, hidden)
  let gated = builder.step(
    { op: 'gate', gate, value, output: `${name}.gated`, kind: activation },
    builder.shapeOf(gate),
  )
  if (config.mlp === 'normSwiglu') {
    gated = builder.norm(
      gated,
      `${name}.norm`,
      builder.normWeights(`${name}.norm`, hidden, config.norm, config.epsilon),
    )
  }
  return builder.linear(gated, name, `${name}.fc2`, width)
}

function planSoftMoe(
  builder: PlanBuilder,
  config: VitConfig,
  { count, slots }: Experts,
  name: string,
  input: SlotName,
): SlotName {
  const { width, hidden } = config
  return builder.step(
    {
      op: 'softMoe',
      input,
      output: name,
      tokenNorm: builder.normWeights(`${name}.token_norm`, width, 'rmsNorm', config.epsilon),
      slots: builder.weight(`${name}.slots`, [count * slots, width]),
      experts: Array.from({ length: count }, (_, e) => ({
        weight1: builder.weight(`${name}.experts.${e}.0.weight`, [hidden, width]),
        bias1: builder.weight(`${name}.experts.${e}.0.bias`, [hidden]),
        weight2: builder.weight(`${name}.experts.${e}.3.weight`, [width, hidden]),
        bias2: builder.weight(`${name}.experts.${e}.3.bias`, [width]),
      })),
      kind: config.activation,
    },
    builder.shapeOf(input),
  )
}
