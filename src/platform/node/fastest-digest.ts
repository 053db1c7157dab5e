/** Finds the fastest way there is to digest weights, whatever engine runs them: all ways give the same. */
import { createNativeDigestOn } from '../../engine/native/native-digest.js'
import { type DigestWords, digestWords } from '../../kernels/digest-words.js'
import { addonOrReason } from './native/load-addon.js'
import { createWasmDigest } from './wasm/wasm-digest.js'

export function fastestDigest(): DigestWords {
  const addon = addonOrReason()
  if (typeof addon !== 'string') return createNativeDigestOn(addon)
  try {
    return createWasmDigest()
  } catch {
    // An engine that needs the kernels says what is wrong with them.
    return async (values) => digestWords(values)
  }
}
