/** Finds the fastest way there is to digest weights, whatever engine runs them: all ways give the same. */
import { createNativeDigestOn } from '../../engine/native/native-digest.js'
import { type DigestWords, digestWords } from '../../kernels/digest-words.js'
import { addonOrReason } from './native/load-addon.js'

export function fastestDigest(): DigestWords {
  const addon = addonOrReason()
  return typeof addon === 'string' ? async (values) => digestWords(values) : createNativeDigestOn(addon)
}
