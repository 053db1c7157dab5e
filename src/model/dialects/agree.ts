/** Holds a setting of a file against what the tensors show, since one of two that differ belongs to another network. */
import type { VitConfig } from '../vit-config.js'
import type { ConfigReader } from './config-reader.js'

/** Throws `contradiction` where the file has the setting and says something else. */
export function agree(reader: ConfigReader, key: string, shown: number | boolean): void {
  if (!reader.has(key)) return
  const said = typeof shown === 'number' ? reader.number(key, shown) : reader.flag(key, shown)
  if (said !== shown) throw reader.contradicts(key, shown)
}

/** Throws `contradiction` where the file has a patch, one side or two equal ones, that is another than the weights show. */
export function agreeOnPatch(reader: ConfigReader, { patchSize }: VitConfig): void {
  const [patch, ...others] = reader.numbersOrNull('patch_size', true) ?? [patchSize]
  if (patch !== patchSize || others.some((side) => side !== patch))
    throw reader.contradicts('patch_size', patchSize)
}

/** Does so for the sizes that every config.json of transformers has. */
export function agreeOnSizes(reader: ConfigReader, config: VitConfig): void {
  agree(reader, 'hidden_size', config.width)
  agree(reader, 'num_hidden_layers', config.depth)
  agree(reader, 'num_channels', config.channels)
  agreeOnPatch(reader, config)
}

/** Does so for a feed-forward net: gated, it has two thirds of the width, rounded up to eights (transformers, Dinov2SwiGLUFFN). */
export function agreeOnMlp(reader: ConfigReader, { mlp, width, hidden }: VitConfig): void {
  const gated = mlp === 'swiglu'
  agree(reader, 'use_swiglu_ffn', gated)
  if (!reader.has('mlp_ratio')) return
  const plain = Math.trunc(width * reader.number('mlp_ratio', 4))
  const kept = gated ? Math.floor((Math.trunc((plain * 2) / 3) + 7) / 8) * 8 : plain
  if (kept !== hidden) throw reader.contradicts('mlp_ratio', hidden / width)
}
