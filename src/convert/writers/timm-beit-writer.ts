/** Writes timm's class Beit, whose attention adds what is learnt of the offsets of patches. */
import { writtenSource } from '../../model/dialects/layout.js'
import { biasTables, evaLayout } from '../../model/families/timm-layout.js'
import type { VitConfig } from '../../model/vit-config.js'
import type { PlainRecord } from '../../plain-value.js'
import type { Writer } from '../writer.js'
import { biasOfKeys, learntBias } from './beit-held.js'
import { linearClassifier } from './linear-classifier.js'
import { poolingWithNorm } from './pooling-held.js'
import { learntTable } from './positions-held.js'
import { commonArgs, nearestArchitecture, ratioOf, timmFiles } from './timm-files.js'

/** Both classes call all that they have alike by the same names. */
const LAYOUT = evaLayout({ hasKeyBias: false, isGateApart: false })

export const timmBeitWriter: Writer = {
  library: 'timm',
  class: 'Beit',
  holds: {
    finalNorm: 'any',
    qkvBias: biasOfKeys,
    bias: learntBias,
    layerScale: 'any',
    pooling: poolingWithNorm,
    classifier: linearClassifier,
    positions: (config) => (config.positions === null ? null : learntTable(config)),
  },
  source: writtenSource(LAYOUT),
  positions: () => ({ tensor: LAYOUT.positions, special: 1 }),
  tables: biasTables,
  files(network) {
    const { config } = network
    const base = nearestArchitecture(config, ({ class: kind }) => kind === 'Beit')
    return timmFiles(network, base, modelArgs(config))
  },
}

function modelArgs(config: VitConfig): PlainRecord {
  const { bias } = config
  return {
    ...commonArgs(config),
    mlp_ratio: ratioOf(config.hidden, config.width),
    swiglu_mlp: false,
    scale_mlp: false,
    use_abs_pos_emb: config.positions !== null,
    use_rel_pos_bias: bias !== null && !bias.isShared,
    use_shared_rel_pos_bias: bias?.isShared === true,
    use_fc_norm: config.finalNorm === 'pooled',
  }
}
