/** Finds the class of a library's that holds a network, or says what of it none holds and which libraries do. */
import { ConvertError } from './convert-error.js'
import type { WeightsForm } from './file-forms.js'
import { type Lack, lacksOf } from './holdings.js'
import type { ConvertedConfig } from './told-by-values.js'
import { LIBRARY_NAMES, type LibraryName, type Writer } from './writer.js'
import { birderWriters } from './writers/birder-writer.js'
import { facebookDinov3Writer } from './writers/facebook-dinov3-writer.js'
import { facebookPerceptionEncoderWriter } from './writers/facebook-perception-encoder-writer.js'
import { facebookVitWriters } from './writers/facebook-vit-writers.js'
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
  ...facebookVitWriters,
  facebookWriter,
  facebookDinov3Writer,
  facebookPerceptionEncoderWriter,
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

/** Gives the class that holds the network in files of the format; null where none of the library's does. */
export function writerOrNull(
  library: LibraryName,
  config: ConvertedConfig,
  form?: WeightsForm,
): Writer | null {
  return WRITERS.find((one) => one.library === library && lacks(one, config, form).length === 0) ?? null
}

/** Throws `ConvertError` `not-held` that names, for the class of the library that comes nearest, what it does not hold, and the libraries that hold all. */
export function refuseUnheld(
  library: LibraryName,
  config: ConvertedConfig,
  form: WeightsForm,
  label: string,
): ConvertError {
  const own = WRITERS.filter((one) => one.library === library).map((one) => ({
    class: one.class,
    lacks: lacks(one, config, form),
  }))
  const [nearest] = own.toSorted((a, b) => farness(a.lacks) - farness(b.lacks))
  const others = LIBRARY_NAMES.filter((name) => name !== library && writerOrNull(name, config) !== null)
  const advice =
    others.length === 0
      ? 'Its own library alone holds it.'
      : `It can be written for ${others.join(', ')} (--to).`
  return new ConvertError(
    'not-held',
    `${label} cannot be written for ${library}, whose ${nearest?.class ?? 'layout'} does not hold its ${nearest?.lacks.map(({ reason }) => reason).join('; nor its ')}. ${advice}`,
  )
}

function lacks({ holds, forms }: Writer, config: ConvertedConfig, form?: WeightsForm): readonly Lack[] {
  const found = lacksOf(holds, config)
  if (form === undefined || forms === undefined || forms.includes(form)) return found
  return [...found, { reason: `format ${form}, where its files are ${forms.join(' or ')}`, isForeign: false }]
}

/** A class that has no such part at all is farther than one that has it in another way. */
function farness(found: readonly Lack[]): number {
  return found.reduce((sum, { isForeign }) => sum + (isForeign ? 2 : 1), 0)
}
