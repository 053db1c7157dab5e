/** Makes the error for a text that names no model. */
import { HubError } from './hub-error.js'
import { knownModels } from './known-models.js'
import { suggestModels } from './suggest-models.js'

/** @param otherwise is a sentence that says how else a model is given here */
export function unknownModel(text: string, otherwise: string): HubError {
  const names = knownModels().map(({ name }) => name)
  return new HubError(
    'unknown-model',
    `No model is named "${text}". The nearest names are ${suggestModels(text, names).join(', ')}; ` +
      `\`plumage models\` lists all. ${otherwise}`,
  )
}
