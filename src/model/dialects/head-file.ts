/**
 * Puts a head on a network, which is a file of its own: dino.txt's on the image's side, or a linear classifier of Meta's. Its tensors lie in the checkpoint under
 * `HEAD_PREFIX`, beside those of the network.
 */
import { type Checkpoint, HEAD_PREFIX } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { Shape } from '../../tensor/shape.js'
import type { VitConfig } from '../vit-config.js'
import type { VitHints } from './dialect.js'
import { isLinearHead, linearHeadSource, withLinearHead } from './linear-head.js'
import type { StoredWeight } from './stored-weight.js'
import { isVisionHead, visionHeadAssumptions, visionHeadSource, withVisionHead } from './vision-head.js'

/** Puts the head behind a network. Throws `CheckpointError` `contradiction` for the head of another network. */
export function withHeadFile(checkpoint: Checkpoint, hints: VitHints, config: VitConfig): VitConfig {
  const { tensors, head: label } = checkpoint
  const isOfText = label !== undefined && isVisionHead(tensors)
  if (!isOfText) refuseHowPutOn(checkpoint, hints)
  if (label === undefined) return config
  refuseOtherNetworks(checkpoint, label, config)
  return isOfText
    ? withVisionHead(checkpoint, label, hints, config)
    : withLinearHead(checkpoint, label, config)
}

/**
 * Refuses a file that is no head which stands on a network, before what it says of itself is taken for something unknown. Throws `CheckpointError`: `unknown-dialect`,
 * `contradiction` for a head that was trained on embeddings here.
 */
export function refuseOtherFiles({ head: label, tensors, metadata }: Checkpoint): void {
  if (label === undefined || isVisionHead(tensors)) return
  if ('temperature' in metadata && 'identity' in metadata) {
    throw new CheckpointError(
      'contradiction',
      `${label} is a head that was trained on embeddings (plumage label --train): plumage classify takes it as --classifier. Leave --head (head) out.`,
    )
  }
  if (isLinearHead(tensors)) return
  const own = [...tensors.keys()].filter((name) => name.startsWith(HEAD_PREFIX))
  const first = own.slice(0, 3).map((name) => name.slice(HEAD_PREFIX.length))
  throw new CheckpointError(
    'unknown-dialect',
    `${label} is no vision head of dino.txt, which has tensors block_list.0.norm1.weight and ln_final.weight, and no linear classifier of DINO's or DINOv2's, which has ` +
      `linear.weight or weight: it holds ${own.length} others (${first.join(', ')}). ` +
      'Give the file that is called …_vision_head.pth, …_linear_head.pth or …_linearweights.pth as the head (head, --head), and the backbone as the model.',
  )
}

/** Says where a canonical weight of the head comes from; null for a weight of the network itself. */
export function headSource(
  weight: string,
  shape: Shape,
  config: VitConfig,
  checkpoint: Checkpoint,
): StoredWeight | null {
  const { head, tensors } = checkpoint
  if (head === undefined) return null
  return visionHeadSource(weight, shape, config, tensors) ?? linearHeadSource(weight, shape, config, tensors)
}

/** Says what the head's file does not tell and was taken as in the published one. */
export function headAssumptions(checkpoint: Checkpoint, hints: VitHints): readonly string[] {
  return isVisionHead(checkpoint.tensors) ? visionHeadAssumptions(checkpoint, hints) : []
}

/** Refuses what was said of dino.txt's head where there is none, since it would do nothing. */
function refuseHowPutOn({ label, head }: Checkpoint, { headPooling, headPatchLayer }: VitHints): void {
  if (headPooling === undefined && headPatchLayer === undefined) return
  const what =
    head === undefined
      ? `${label} has no head put on it, and headPooling and headPatchLayer (--head-pooling, --head-patch-layer) say how one is: give its file as the option head (--head), or leave them out.`
      : `headPooling and headPatchLayer (--head-pooling, --head-patch-layer) are for dino.txt's vision head, and ${head} is another: leave them out.`
  throw new CheckpointError('contradiction', what)
}

/** Every head here reads class token and patches that are normed, and knows nothing of what else stands behind a network. */
function refuseOtherNetworks({ label: model }: Checkpoint, label: string, config: VitConfig): void {
  const { classToken, finalNorm, rotary, bias, windows, neck, pooling, classifier, pooler, projection } =
    config
  const isPlain = [rotary, bias, windows, neck, classifier, pooler, projection].every((part) => part === null)
  if (classToken && finalNorm === 'tokens' && pooling.kind === 'class' && isPlain) return
  throw new CheckpointError(
    'contradiction',
    `The head ${label} stands on a DINO or DINOv2, and the network of ${model} is built otherwise. ` +
      'Give the network that it was trained on as the model, without a classifier, or leave the head out (head, --head).',
  )
}
