/** Tells of a model by its name what is known before a hub is asked: family, size, licence, what its use asks for, and the open one of a gated pair. */
import { findNetwork } from '../model/networks.js'
import { HUGGING_FACE_MODELS } from './hugging-face-models.js'
import { FAMILIES, MEGABYTES, OBLIGATIONS } from './model-facts-data.js'
import { OPEN_EQUIVALENTS } from './open-equivalents.js'
import { TIMM_PARAMETERS } from './timm-parameters-data.js'
import { torchHubName } from './torch-hub.js'
import { findPretrainedOrNull } from './weights.js'

/** Each is null where nobody knows it here. */
export interface ModelFacts {
  /** Names the family; of Birder's weights the class of their network. */
  readonly family: string | null
  /** Counts millions of parameters; of timm's and Birder's networks those without a classifier. */
  readonly parameters: number | null
  /** Counts millions of bytes of weights. */
  readonly megabytes: number | null
  readonly licence: string | null
  /** Says in a line what whoever uses the weights owes. */
  readonly use: string | null
  readonly gated: boolean | null
  /** Names the open repository of the same weights, where this one is gated. */
  readonly openAs: string | null
  /** Says where the facts were read. */
  readonly source: string | null
}

export function factsOf(name: string): ModelFacts {
  const listed = HUGGING_FACE_MODELS.get(name)
  const known = listed ?? FAMILIES.find(({ names }) => names.test(torchHubName(name)))
  const entry = findPretrainedOrNull(name)
  const published = entry?.formats.pt
  const network = entry === null ? null : findNetwork(entry.net.network)
  const licence = known?.licence ?? null
  return {
    family: known?.family ?? network?.class ?? null,
    parameters: listed?.parameters ?? timmParameters(name) ?? inMillions(network?.parameters ?? null),
    megabytes:
      listed?.megabytes ??
      MEGABYTES[name] ??
      (published ? Math.round(published.file_size * 1.048576 * 10) / 10 : null),
    licence,
    use: licence === null ? null : obligationsOf(licence),
    gated: listed?.gated ?? (known === undefined ? null : false),
    openAs: OPEN_EQUIVALENTS[name] ?? null,
    source: known?.source ?? (published ? "Birder's registry" : null),
  }
}

/** Gives three digits, as timm's list has them. */
function inMillions(count: number | null): number | null {
  return count === null ? null : Number((count / 1e6).toPrecision(3))
}

let counts: ReadonlyMap<string, number> | null = null

function timmParameters(name: string): number | null {
  counts ??= new Map(
    TIMM_PARAMETERS.trim()
      .split('\n')
      .flatMap((line) => {
        const [count, ...architectures] = line.split(' ')
        return architectures.map((architecture): [string, number] => [architecture, Number(count)])
      }),
  )
  const [, architecture = ''] = /^timm\/(\w+)\./.exec(name) ?? []
  return counts.get(architecture) ?? null
}

/** Says what a licence asks for; of one that is not listed here, where to read it. */
export function obligationsOf(licence: string): string {
  return OBLIGATIONS[licence.toLowerCase()] ?? 'its own terms: read the licence before use'
}

export interface OpenEquivalent {
  readonly name: string
  /** Says what is otherwise by default. */
  readonly difference: string
}

/** Gives null for a repository that is not gated, or has no open one beside it. */
export function openEquivalentOrNull(id: string): OpenEquivalent | null {
  const name = OPEN_EQUIVALENTS[id]
  if (name === undefined) return null
  return {
    name,
    difference:
      'the licence is the same, but timm pools the mean of the patches where the gated one gives the class token, so the default embedding differs.',
  }
}
