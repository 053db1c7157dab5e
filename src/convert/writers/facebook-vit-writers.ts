/**
 * Writes the files of Meta's plain vision transformers: the first DINO, MAE and I-JEPA. They have the same names, and what stands around these tells whose
 * they are, so that each is a file of PyTorch's.
 */
import { writtenSource } from '../../model/dialects/layout.js'
import { TIMM_LAYOUT } from '../../model/families/timm-layout.js'
import type { Holdings } from '../holdings.js'
import type { Wrapping, Writer } from '../writer.js'
import { headsNote, levelsNote, toldLevels } from './facebook-told.js'
import { linearClassifier } from './linear-classifier.js'
import { poolingWithNorm } from './pooling-held.js'
import { squareTable } from './positions-held.js'

export const facebookVitWriters: readonly Writer[] = [
  writerOf('DINO', { entry: 'teacher', prefix: 'backbone.' }, { qkvBias: 'any' }),
  writerOf(
    'MAE',
    { entry: 'model', prefix: '' },
    { finalNorm: 'any', pooling: poolingWithNorm, classifier: linearClassifier },
  ),
  writerOf(
    'I-JEPA',
    { entry: 'target_encoder', prefix: 'module.' },
    { classToken: [false], pooling: [{ kind: 'mean' }] },
  ),
]

function writerOf(maker: string, wrapping: Wrapping, holds: Holdings): Writer {
  return {
    library: 'facebook',
    class: `VisionTransformer of ${maker}`,
    holds: { ...holds, positions: squareTable },
    isTorchAlone: true,
    wrapping,
    source: writtenSource(TIMM_LAYOUT),
    positions: ({ classToken }) => ({ tensor: TIMM_LAYOUT.positions, special: classToken ? 1 : 0 }),
    files: () => ({}),
    hints: (config) => ({ heads: config.heads, ...toldLevels(config) }),
    notes: (config) => [headsNote(config), ...levelsNote(config)],
  }
}
