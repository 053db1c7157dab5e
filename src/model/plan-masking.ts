/**
 * Plans what a network is not shown of an image, as networks are trained that learn to fill in: patches that are left out behind the positions (omission), or
 * whose place is kept with zeros or a token in it, in front of the positions (retention). Birder's common/masking.py and its networks are followed.
 */
import type { Constant, ConstantName, SlotName } from '../engine/plan.js'
import { sizeAt } from '../tensor/shape.js'
import { rotaryName } from './grid-tables.js'
import type { PlanBuilder } from './plan-builder.js'
import { specialTokens, type VitConfig } from './vit-config.js'

/** Says what of an image is masked. Patches are numbered row by row from 0. */
export type Masking =
  | {
      readonly kind: 'omission'
      /** Numbers the patches that are kept, in their order among the tokens. */
      readonly kept: readonly number[]
    }
  | {
      readonly kind: 'retention'
      /** Tells of each patch whether it is masked. */
      readonly masked: readonly boolean[]
      /** Stands in the place of masked patches, [D]; null for zeros. */
      readonly token: Float32Array | null
    }

/** Puts zeros, or the token, in the place of masked patches [G, D]. */
export function planRetention(
  builder: PlanBuilder,
  { masked, token }: Extract<Masking, { readonly kind: 'retention' }>,
  patches: SlotName,
): SlotName {
  const rows = masked.map((isMasked, patch) => (isMasked ? -1 : patch))
  const zeroed = builder.gather(patches, 'masked', rows)
  if (token === null) return zeroed
  const shape = builder.shapeOf(zeroed)
  const width = sizeAt(shape, 1)
  const values = new Float32Array(masked.length * width)
  for (const [patch, isMasked] of masked.entries()) if (isMasked) values.set(token, patch * width)
  builder.constants.set('mask_token', { shape, values })
  return builder.step({ op: 'add', input: zeroed, branch: 'mask_token', output: 'masked.token' }, shape)
}

/** Gives the tables of a plan that leaves patches out: each kept token takes its angles along. */
export function tablesOfKept(
  config: VitConfig,
  tables: ReadonlyMap<ConstantName, Constant>,
  kept: readonly number[],
): ReadonlyMap<ConstantName, Constant> {
  const names = new Set(Array.from({ length: config.depth }, (_, block) => rotaryName(config, block)))
  const tokens = keptTokens(config, kept)
  const ofKept = ({ shape, values }: Constant): Constant => {
    const width = sizeAt(shape, 1)
    const out = new Float32Array(tokens.length * width)
    for (const [at, token] of tokens.entries())
      out.set(values.subarray(token * width, (token + 1) * width), at * width)
    return { shape: [tokens.length, width], values: out }
  }
  return new Map([...tables].map(([name, table]) => [name, names.has(name) ? ofKept(table) : table]))
}

/** Leaves out all tokens of patches that are not kept; class token and registers stay. */
export function planOmission(
  builder: PlanBuilder,
  config: VitConfig,
  kept: readonly number[],
  tokens: SlotName,
): SlotName {
  return builder.gather(tokens, 'encoder.kept', keptTokens(config, kept))
}

function keptTokens(config: VitConfig, kept: readonly number[]): readonly number[] {
  const special = specialTokens(config)
  return [...Array.from({ length: special }, (_, token) => token), ...kept.map((patch) => special + patch)]
}
