/** Reads how a network of timm pools its tokens, from what its config.json tells and from what the weights show. */
import type { Checkpoint, TensorInfo } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { TIMM_LAYOUT } from '../families/timm-layout.js'
import type { Pooling, VitConfig } from '../vit-config.js'
import { storedSize } from './headers.js'
import type { TimmTold } from './timm-told.js'

/** Gives the pooling, and which norm comes last: on tokens, on what is pooled, or none. Throws `contradiction` where the weights have another pooling. @param base has the norm and the activation of the blocks, which are those of a pooling by attention as well */
export function timmPooling(
  checkpoint: Checkpoint,
  told: TimmTold,
  base: VitConfig,
  classToken: boolean,
): Pick<VitConfig, 'pooling' | 'finalNorm'> {
  const { tensors } = checkpoint
  const normsPooled = tensors.has('fc_norm.weight')
  const pool = told.pool ?? poolByTensors(tensors, classToken)
  if (pool !== 'map' && tensors.has('attn_pool.latent')) {
    throw new CheckpointError(
      'contradiction',
      `${checkpoint.label}: its weights have an attention pooling (attn_pool.latent), and its config.json or name is of a network that pools by ${JSON.stringify(pool)} (global_pool). The config belongs to another network than the weights.`,
    )
  }
  const pooled =
    told.fcNorm ??
    (told.fcNorm === null && told.pool !== undefined ? ['avg', 'max', 'avgmax'].includes(pool) : normsPooled)
  const finalNorm =
    (told.finalNorm ?? (normsPooled || tensors.has('norm.weight'))) ? (pooled ? 'pooled' : 'tokens') : 'none'
  return { finalNorm, pooling: poolingBy(pool, checkpoint, told, base, classToken) }
}

function poolByTensors(
  tensors: ReadonlyMap<string, TensorInfo>,
  classToken: boolean,
): TimmTold['pool'] & string {
  if (tensors.has('attn_pool.latent')) return 'map'
  return tensors.has('fc_norm.weight') || !classToken ? 'avg' : 'token'
}

function poolingBy(
  pool: string,
  checkpoint: Checkpoint,
  told: TimmTold,
  base: VitConfig,
  classToken: boolean,
): Pooling {
  const { includePrefix: specialTokens, epsilon } = told
  switch (pool) {
    case 'avg':
      return { kind: 'mean', specialTokens }
    case 'max':
      return { kind: 'max', specialTokens }
    case 'avgmax':
      return { kind: 'mean-max', specialTokens }
    case 'map':
      return {
        kind: 'attention',
        heads: told.settings.number('attn_pool_num_heads', base.heads, 'pool_heads'),
        // Eva pools all tokens alike.
        specialTokens: specialTokens || told.class === 'Eva',
        epsilon,
        hidden: storedSize(checkpoint, 'attn_pool.mlp.fc1.weight', 0, TIMM_LAYOUT.dialect),
        activation: told.class === 'Eva' ? 'gelu' : base.activation,
        ...(base.norm === 'rmsNorm' ? { norm: base.norm } : {}),
      }
    default:
      if (classToken) return { kind: 'class' }
      // A network that is not pooled and has no class token has its patches alone; timm refuses `token` there.
      return { kind: 'mean' }
  }
}
