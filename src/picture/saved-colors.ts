/** Keeps fitted colours as JSON, so that what is encoded later gets the same ones. Numbers come back as they were, to the bit. */
import { isRecord, type PlainRecord, type PlainValue } from '../plain-value.js'
import type { Foreground } from './foreground.js'
import { PATCH_COLOR_METHODS, type PatchColors } from './patch-colors.js'
import { PictureError } from './picture-error.js'

const FORMAT = 'plumage patch colors'
const VERSION = 1

/** Gives the colours as one line of JSON, which `readPatchColors` reads. */
export function writePatchColors(colors: PatchColors): string {
  const { method, fittedOn, foreground } = colors
  return JSON.stringify({
    format: FORMAT,
    version: VERSION,
    method,
    fittedOn: fittedOn === null ? null : { digest: fittedOn.digest, model: fittedOn.model },
    mean: [...colors.mean],
    components: [...colors.components],
    variances: [...colors.variances],
    low: [...colors.low],
    high: [...colors.high],
    foreground: foreground === null ? null : plainForeground(foreground),
  })
}

function plainForeground({ separability, cut }: Foreground) {
  if (cut === null) return { separability, cut }
  const { mean, components, threshold } = cut
  return { separability, cut: { mean: [...mean], components: [...components], threshold } }
}

/** Reads what `writePatchColors` wrote. Throws `PictureError` `malformed` that says what is wrong with it. */
export function readPatchColors(text: string): PatchColors {
  const record = recordOf(parsed(text), 'The file')
  if (record.format !== FORMAT)
    throw malformed(`it does not say that its format is ${JSON.stringify(FORMAT)}`)
  if (record.version !== VERSION)
    throw malformed(`its version is ${JSON.stringify(record.version)}, and this library reads ${VERSION}`)
  const method = PATCH_COLOR_METHODS.find((name) => name === record.method)
  if (method === undefined)
    throw malformed(
      `its method is ${JSON.stringify(record.method)}; there are ${PATCH_COLOR_METHODS.join(', ')}`,
    )
  const mean = numbers(record, 'mean', null)
  return {
    method,
    fittedOn: record.fittedOn === null ? null : identityOf(recordOf(record.fittedOn, 'fittedOn')),
    mean,
    components: numbers(record, 'components', 3 * mean.length),
    variances: numbers(record, 'variances', 3),
    low: numbers(record, 'low', 3),
    high: numbers(record, 'high', 3),
    foreground:
      record.foreground === null
        ? null
        : foregroundOf(recordOf(record.foreground, 'foreground'), mean.length),
  }
}

function foregroundOf(record: PlainRecord, width: number): Foreground {
  const separability = number(record, 'separability')
  if (record.cut === null) return { separability, cut: null }
  const cut = recordOf(record.cut, 'cut')
  return {
    separability,
    cut: {
      mean: numbers(cut, 'mean', width),
      components: numbers(cut, 'components', width),
      threshold: number(cut, 'threshold'),
    },
  }
}

function identityOf({ digest, model }: PlainRecord) {
  if (typeof digest !== 'string' || typeof model !== 'string')
    throw malformed('fittedOn has no digest and no model in text')
  return { digest, model }
}

function parsed(text: string): PlainValue {
  try {
    return JSON.parse(text) as PlainValue
  } catch (cause) {
    throw new PictureError('malformed', 'These are no saved colours: they are no JSON.', { cause })
  }
}

function recordOf(value: PlainValue | undefined, name: string): PlainRecord {
  if (!isRecord(value)) throw malformed(`${name} is no object`)
  return value
}

function number(record: PlainRecord, name: string): number {
  const value = record[name]
  if (typeof value !== 'number') throw malformed(`${name} is no number`)
  return value
}

function numbers(record: PlainRecord, name: string, count: number | null): Float64Array {
  const value = record[name]
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'number'))
    throw malformed(`${name} is no list of numbers`)
  if (value.length === 0 || (count !== null && value.length !== count))
    throw malformed(`${name} has ${value.length} numbers${count === null ? '' : `, not ${count}`}`)
  return Float64Array.from(value as readonly number[])
}

function malformed(why: string): PictureError {
  return new PictureError('malformed', `These are no saved colours: ${why}. Fit them again.`)
}
