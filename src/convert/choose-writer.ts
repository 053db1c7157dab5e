/** Finds the class of a library's that holds a network, or says what of it none holds and which libraries do. */
import { ConvertError } from './convert-error.js'
import { lacksOf } from './holdings.js'
import type { ConvertedConfig } from './told-by-values.js'
import { LIBRARY_NAMES, type LibraryName, type Writer } from './writer.js'
import { birderWriters } from './writers/birder-writer.js'
import { facebookDinov3Writer } from './writers/facebook-dinov3-writer.js'
import { facebookWriter } from './writers/facebook-writer.js'
import { huggingFaceBeitWriter } from './writers/hugging-face-beit-writer.js'
import { huggingFaceDinov2Writer } from './writers/hugging-face-dinov2-writer.js'
import { huggingFaceDinov3Writer } from './writers/hugging-face-dinov3-writer.js'
import { huggingFaceClipWriter, huggingFaceSiglipWriter } from './writers/hugging-face-tower-writers.js'
import { huggingFaceVitWriters } from './writers/hugging-face-vit-writer.js'
import { timmBeitWriter } from './writers/timm-beit-writer.js'
import { timmEvaWriter } from './writers/timm-eva-writer.js'
import { timmWriter } from './writers/timm-writer.js'

/** Lists all classes; of a library's the first that holds a network is taken. */
export const WRITERS: readonly Writer[] = [
  ...birderWriters,
  facebookWriter,
  facebookDinov3Writer,
  huggingFaceDinov2Writer,
  huggingFaceDinov3Writer,
  ...huggingFaceVitWriters,
  huggingFaceBeitWriter,
  huggingFaceClipWriter,
  huggingFaceSiglipWriter,
  timmWriter,
  timmEvaWriter,
  timmBeitWriter,
]

/** Gives the class that holds the network; null where none of the library's does. */
export function writerOrNull(library: LibraryName, config: ConvertedConfig): Writer | null {
  const found = WRITERS.find((one) => one.library === library && lacksOf(one.holds, config).length === 0)
  return found ?? null
}

/** Throws `ConvertError` `not-held` that names, for each class of the library, the parts it does not hold, and the libraries that hold all. */
export function refuseUnheld(library: LibraryName, config: ConvertedConfig, label: string): ConvertError {
  const own = WRITERS.filter((one) => one.library === library).map((one) => ({
    class: one.class,
    lacks: lacksOf(one.holds, config),
  }))
  const [nearest] = own.toSorted((a, b) => a.lacks.length - b.lacks.length)
  const others = LIBRARY_NAMES.filter((name) => name !== library && writerOrNull(name, config) !== null)
  const advice =
    others.length === 0
      ? 'Its own library alone holds it.'
      : `It can be written for ${others.join(', ')} (--to).`
  return new ConvertError(
    'not-held',
    `${label} cannot be written for ${library}, whose ${nearest?.class ?? 'layout'} does not hold its ${nearest?.lacks.join('; nor its ')}. ${advice}`,
  )
}
