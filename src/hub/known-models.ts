/** Lists the names that models are known by: those that every platform knows, timm's, and what makers publish at Hugging Face. */
import { HUGGING_FACE_MODELS } from './hugging-face-models.js'
import { type KnownModel, namesByRule } from './names-by-rule.js'
import { timmModels } from './timm-models.js'

/** Gives each name once, whoever's they are together. */
export function knownModels(): readonly KnownModel[] {
  return [
    ...namesByRule(),
    ...timmModels().map((name) => ({ name, from: 'timm' })),
    ...[...HUGGING_FACE_MODELS.keys()].map((name) => ({ name, from: 'Hugging Face' })),
  ]
}
