/** Says which activations a layout holds whose gated feed-forward nets have SiLU and no other. */
import type { ActivationKind } from '../../engine/plan.js'
import type { VitConfig } from '../../model/vit-config.js'

/** @param plain are those of nets that are not gated */
export function gatedBySilu(plain: readonly ActivationKind[]): (config: VitConfig) => string | null {
  return ({ mlp, activation }) => {
    const held: readonly ActivationKind[] = mlp === 'swiglu' || mlp === 'normSwiglu' ? ['silu'] : plain
    return held.includes(activation) ? null : `activation: ${activation}, where it has ${held.join(' or ')}`
  }
}
