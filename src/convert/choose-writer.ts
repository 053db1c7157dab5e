/** Finds the class of a library's that holds a network, or says what of it none holds and which libraries do. */
import type { DialectName } from '../model/dialects/dialect.js'
import type { VitConfig } from '../model/vit-config.js'
import { ConvertError } from './convert-error.js'
import { lacksOf } from './holdings.js'
import { LIBRARY_NAMES, type Writer } from './writer.js'
import { birderWriter } from './writers/birder-writer.js'
import { facebookWriter } from './writers/facebook-writer.js'
import { huggingFaceDinov2Writer } from './writers/hugging-face-dinov2-writer.js'
import { huggingFaceClipWriter, huggingFaceSiglipWriter } from './writers/hugging-face-tower-writers.js'
import { huggingFaceVitWriters } from './writers/hugging-face-vit-writer.js'
import { timmWriter } from './writers/timm-writer.js'

/** Lists all classes; of a library's the first that holds a network is taken. */
export const WRITERS: readonly Writer[] = [
  birderWriter,
  facebookWriter,
  huggingFaceDinov2Writer,
  ...huggingFaceVitWriters,
  huggingFaceClipWriter,
  huggingFaceSiglipWriter,
  timmWriter,
]

/** Gives the class that holds the network; null where none of the library's does. */
export function writerOrNull(library: DialectName, config: VitConfig): Writer | null {
  const found = WRITERS.find((one) => one.library === library && lacksOf(one.holds, config).length === 0)
  return found ?? null
}

/** Throws `ConvertError` `not-held` that names, for each class of the library, the parts it does not hold, and the libraries that hold all. */
export function refuseUnheld(library: DialectName, config: VitConfig, label: string): ConvertError {
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
