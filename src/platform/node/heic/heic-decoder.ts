/** Tells whether HEIC can be decoded, and what to do where it cannot; nothing is loaded for it. */
import { requireHere } from '../package-files.js'

/** Tells whether the optional package libheif-js is installed, without loading it. */
export function hasHeicDecoder(): boolean {
  try {
    requireHere().resolve('libheif-js/package.json')
    return true
  } catch {
    return false
  }
}

/** Says what to do about a HEIC where there is no decoder, in a sentence. */
export const HEIC_ADVICE =
  'Install the optional package that decodes it, `npm install libheif-js`, beside plumage; or convert it to JPEG.'
