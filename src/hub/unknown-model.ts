/** Makes the errors for a text that names no model which can be had by it. */
import { HubError } from './hub-error.js'
import { suggestModels } from './suggest-models.js'

/**
 * @param names are those that are known where it is asked
 * @param otherwise says in sentences how else a model is given there
 */
export function unknownModel(text: string, names: readonly string[], otherwise: string): HubError {
  return new HubError(
    'unknown-model',
    `No model is named "${text}". The nearest names are ${suggestModels(text, names).join(', ')}. ${otherwise}`,
  )
}
