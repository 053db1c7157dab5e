/** Finds the class of a library's that holds a network, or says what of it none holds and which libraries do. */
import type { DialectName } from '../model/dialects/dialect.js'
import { ConvertError } from './convert-error.js'
import type { ConvertSource } from './convert-source.js'
import type { WeightsForm } from './file-forms.js'
import { type Lack, lacksOf } from './holdings.js'
import { type Retold, retellings } from './retold.js'
import type { ConvertedConfig } from './told-by-values.js'
import { LIBRARY_NAMES, type Writer } from './writer.js'
import { birderWriters } from './writers/birder-writer.js'
import { facebookDinov3Writer } from './writers/facebook-dinov3-writer.js'
import { facebookPerceptionEncoderWriter } from './writers/facebook-perception-encoder-writer.js'
import { facebookVitWriters } from './writers/facebook-vit-writers.js'
import { facebookWriter } from './writers/facebook-writer.js'
import { huggingFaceAimv2Writer } from './writers/hugging-face-aimv2-writer.js'
import { huggingFaceBeitWriter } from './writers/hugging-face-beit-writer.js'
import { huggingFaceDinov2Writer } from './writers/hugging-face-dinov2-writer.js'
import { huggingFaceDinov3Writer } from './writers/hugging-face-dinov3-writer.js'
import { huggingFaceRadioWriter } from './writers/hugging-face-radio-writer.js'
import { huggingFaceClipWriter, huggingFaceSiglipWriter } from './writers/hugging-face-tower-writers.js'
import { huggingFaceVitWriters } from './writers/hugging-face-vit-writer.js'
import { openClipWriter } from './writers/open-clip-writer.js'
import { timmBeitWriter } from './writers/timm-beit-writer.js'
import { timmEvaWriter } from './writers/timm-eva-writer.js'
import { timmNaFlexWriter } from './writers/timm-naflex-writer.js'
import { timmDistilledWriter, timmWriter } from './writers/timm-writer.js'

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
  huggingFaceAimv2Writer,
  huggingFaceRadioWriter,
  openClipWriter,
  timmWriter,
  timmDistilledWriter,
  timmEvaWriter,
  timmBeitWriter,
  timmNaFlexWriter,
]

/** Is a class of a library's that holds a network, in the words in which it does. */
export interface ChosenWriter {
  readonly writer: Writer
  readonly retold: Retold
}

/** Gives the class that holds the network in its own words or in others, with these; null where none of the library's does. */
export function chooseWriter(
  source: ConvertSource,
  library: DialectName,
  form?: WeightsForm,
): ChosenWriter | null {
  const classes = WRITERS.filter((one) => one.library === library)
  for (const retold of retellings(source)) {
    const writer = classes.find((one) => lacks(one, retold.source.config, form).length === 0)
    if (writer !== undefined) return { writer, retold }
  }
  return null
}

/** Gives `ConvertError` `not-held` that names, for the class of the library that comes nearest, what it does not hold, and the libraries that hold all. */
export function refuseUnheld(
  source: ConvertSource,
  { library, form }: { readonly library: DialectName; readonly form: WeightsForm },
): ConvertError {
  const { vit, checkpoint } = source
  const told = retellings(source).map((retold) => retold.source.config)
  const own = WRITERS.filter((one) => one.library === library).flatMap((one) =>
    told.map((config) => ({ class: one.class, lacks: lacks(one, config, form) })),
  )
  // Where several are as near, the network's own words come first, and then the first class.
  const [nearest] = own.toSorted((a, b) => farness(a.lacks) - farness(b.lacks))
  // In its own layout a network is copied, whatever it is.
  const others = LIBRARY_NAMES.filter(
    (name) => name !== library && (name === vit.dialect || chooseWriter(source, name) !== null),
  )
  const advice =
    others.length === 0
      ? 'Its own library alone holds it.'
      : `It can be written for ${others.join(', ')} (--to).`
  return new ConvertError(
    'not-held',
    `${checkpoint.label} cannot be written for ${library}, whose ${nearest?.class ?? 'layout'} does not hold its ${nearest?.lacks.map(({ reason }) => reason).join('; nor its ')}. ${advice}`,
  )
}

function lacks(
  { holds, isTorchAlone }: Writer,
  config: ConvertedConfig,
  form?: WeightsForm,
): readonly Lack[] {
  const found = lacksOf(holds, config)
  if (isTorchAlone !== true || form === undefined || form === 'pt') return found
  return [...found, { reason: `format ${form}, where its files are pt (--format)`, isForeign: false }]
}

/** A class that has no such part at all is farther than one that has it in another way. */
function farness(found: readonly Lack[]): number {
  return found.reduce((sum, { isForeign }) => sum + (isForeign ? 2 : 1), 0)
}
