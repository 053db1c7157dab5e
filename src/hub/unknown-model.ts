/** Makes the error for a text that names no model which can be had by it. */
import { HubError } from './hub-error.js'
import type { KnownModel } from './names-by-rule.js'
import { suggestModels } from './suggest-models.js'

/**
 * @param known are the models that are known where it is asked
 * @param otherwise says in sentences how else a model is given there
 */
export function unknownModel(text: string, known: readonly KnownModel[], otherwise: string): HubError {
  const names = known.map(({ name }) => name)
  return new HubError(
    'unknown-model',
    `No model is named "${text}". The nearest names are ${suggestModels(text, names).join(', ')}. ${otherwise}`,
  )
}
