/** Writes timm's NaFlexVit: what keeps a table of another grid than that of its patches, and resamples it for every image, as C-RADIO does. */
import { writtenSource } from '../../model/dialects/layout.js'
import { TIMM_ACTIVATIONS } from '../../model/dialects/timm-file.js'
import { naFlexTable, TIMM_NAFLEX_LAYOUT } from '../../model/families/timm-layout.js'
import { NAFLEX_RULES } from '../../model/families/timm-places.js'
import { POSITIONS } from '../../model/grid-tables.js'
import type { PositionRule } from '../../model/positions.js'
import type { VitConfig } from '../../model/vit-config.js'
import { isRecord, type PlainRecord } from '../../plain-value.js'
import type { Writer, WrittenFiles, WrittenNetwork } from '../writer.js'
import { linearClassifier } from './linear-classifier.js'
import { plainStem } from './plain-stem.js'
import { commonArgs, nearestArchitecture, poolOrNull, ratioOf, timmFiles } from './timm-files.js'

export const timmNaFlexWriter: Writer = {
  library: 'timm',
  class: 'NaFlexVit',
  holds: {
    classToken: 'any',
    registers: 'any',
    finalNorm: 'any',
    qkvBias: 'any',
    queryKeyNorm: 'any',
    layerScale: 'any',
    activation: [...new Set(TIMM_ACTIVATIONS.values())],
    stem: plainStem,
    pooling: [{ kind: 'class' }, { kind: 'mean' }],
    classifier: linearClassifier,
    positions: ({ positions }) =>
      positions !== null && wayOf(positions.rule) !== null && positions.sines === undefined
        ? null
        : `position table: ${positions?.rule ?? 'none'}, where it has one that is learnt and resampled by ${[...NAFLEX_RULES.values()].join(', ')}`,
  },
  source: (weight, shape, config) => writtenSource(TIMM_NAFLEX_LAYOUT)(weight, shape, config),
  tables: ({ positions, width }) =>
    new Map(positions === null ? [] : [[POSITIONS, naFlexTable(positions, width)]]),
  files,
}

/** Gives the words of a rule; null where NaFlexVit has none. */
function wayOf(rule: PositionRule): readonly string[] | null {
  const [way] = [...NAFLEX_RULES].find(([, one]) => one === rule) ?? []
  return way?.split(' ') ?? null
}

function files(network: WrittenNetwork): WrittenFiles {
  const { config } = network
  const base = nearestArchitecture(
    config,
    ({ class: kind, settings }) => kind === 'NaFlexVit' && !settings.has('positions'),
    ({ settings }) => [
      settings.get('pool') === poolOrNull(config),
      (settings.get('aspect') === 'yes') === config.positions?.rule.startsWith('bilinear-square'),
    ],
  )
  const { configFile = {} } = timmFiles(network, base, modelArgs(config))
  const { pretrained_cfg: input } = configFile
  const own = { fixed_input_size: false, first_conv: 'embeds.proj' }
  return { configFile: { ...configFile, pretrained_cfg: { ...(isRecord(input) ? input : {}), ...own } } }
}

function modelArgs(config: VitConfig): PlainRecord {
  const { positions, finalNorm, hidden, width } = config
  const way = positions === null ? [] : (wayOf(positions.rule) ?? [])
  return {
    ...commonArgs(config),
    mlp_ratio: ratioOf(hidden, width),
    qk_norm: config.queryKeyNorm,
    class_token: config.classToken,
    reg_tokens: config.registers,
    final_norm: finalNorm !== 'none',
    fc_norm: finalNorm === 'pooled',
    act_layer: config.activation,
    pos_embed_grid_size: [positions?.rows ?? 0, positions?.columns ?? 0],
    pos_embed_interp_mode: way[0] ?? null,
    pos_embed_ar_preserving: way.includes('square'),
    pos_embed_antialias: way.includes('antialias'),
    pos_embed_align_corners: way.includes('corners'),
  }
}
