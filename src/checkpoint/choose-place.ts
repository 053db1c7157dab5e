/**
 * Chooses between the networks of one file: of a model and its moving average the average, of a teacher and a student the teacher, else
 * what a person names. Two that nothing tells apart are not chosen between.
 */
import { CheckpointError } from './checkpoint-error.js'
import { entryName } from './network-places.js'

export interface ChosenPlace {
  readonly place: string
  /** Says why it is this one of several; null where there is no other. */
  readonly reason: string | null
}

/**
 * Says what a network is to the others of its file, by the words in its place. The first row that matches counts: `model_without_ema` is what an
 * average was made of.
 */
const ROLES: readonly { readonly role: Role; readonly words: RegExp }[] = [
  { role: 'source', words: /\b(without|non?|before) (ema|swa|average)\b/ },
  { role: 'average', words: /\b(ema|swa|average|averaged|avg|polyak|shadow)\b/ },
  { role: 'average', words: /\bteacher\b/ },
  // Lightning's WeightAveraging keeps the average in state_dict and the model in current_model_state, Birder its own in model_base_state.
  { role: 'source', words: /\b(student|current model|model base)\b/ },
]
type Role = 'average' | 'plain' | 'source'

const REASONS: Readonly<Record<Role, string>> = {
  average:
    'of a model and its moving average, or a student and its teacher, the average or the teacher is taken',
  plain: 'the others are what it was made of',
  source: 'it was asked for',
}

/** These libraries say themselves which of two equal networks they go on with: the first of each pair. */
const PREFERRED: readonly { readonly taken: string; readonly left: string; readonly reason: string }[] = [
  {
    taken: 'base encoder',
    left: 'momentum encoder',
    reason: 'MoCo v3 evaluates base_encoder (main_lincls.py)',
  },
  { taken: 'encoder q', left: 'encoder k', reason: 'MoCo evaluates encoder_q (main_lincls.py)' },
  // EMAHook swaps the two when it saves, so that state_dict can be deployed as it is (mmengine/hooks/ema_hook.py).
  {
    taken: 'state dict',
    left: 'ema state dict',
    reason: 'MMEngine saves the average in state_dict and the model in ema_state_dict',
  },
]

interface PlaceOptions {
  /** Names the file in errors. */
  readonly label: string
  /** Names one of the places, whole or by its end. */
  readonly entry?: string | undefined
  /** Tells files of MMEngine, whose names of the model and its average mean the other. */
  readonly fromMmengine?: boolean
}

/** `places` are not empty. Throws `ambiguous-entry`, and `not-found` for an entry that is none of them. */
export function choosePlace(places: readonly string[], options: PlaceOptions): ChosenPlace {
  const { label, entry } = options
  if (entry !== undefined) return { place: namedPlace(places, entry, label), reason: 'it was asked for' }
  const preferred = preferredPlaceOrNull(places, options.fromMmengine ?? false)
  if (preferred !== null) return preferred
  const role = (['average', 'plain', 'source'] as const).find((role) =>
    places.some((place) => roleOf(place) === role),
  )
  const [place, ...others] = places.filter((place) => roleOf(place) === role)
  if (place === undefined || role === undefined) throw new Error('There is no place to choose from.')
  if (others.length > 0) throw ambiguous(label, [place, ...others])
  if (role === 'source') throw sourceAlone(label, place)
  return { place, reason: places.length === 1 ? null : REASONS[role] }
}

function roleOf(place: string): Role {
  const words = wordsOf(place)
  return ROLES.find((row) => row.words.test(words))?.role ?? 'plain'
}

/** `model_ema/module.` is `model ema module`, and `emaModel` is `ema model`. */
function wordsOf(place: string): string {
  return place
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ')
    .trim()
}

function preferredPlaceOrNull(places: readonly string[], fromMmengine: boolean): ChosenPlace | null {
  if (places.length !== 2) return null
  for (const { taken, left, reason } of PREFERRED) {
    if (taken === 'state dict' && !fromMmengine) continue
    const isLeft = (place: string) => ` ${wordsOf(place)} `.includes(` ${left} `)
    const isTaken = (place: string) => !isLeft(place) && ` ${wordsOf(place)} `.includes(` ${taken} `)
    const place = places.find(isTaken)
    if (place !== undefined && places.some(isLeft)) return { place, reason }
  }
  return null
}

function namedPlace(places: readonly string[], entry: string, label: string): string {
  const wanted = entryName(entry)
  const exact = places.find((place) => entryName(place) === wanted)
  if (exact !== undefined) return exact
  const [ending, ...others] = places.filter((place) => `.${entryName(place)}`.endsWith(`.${wanted}`))
  if (ending !== undefined && others.length === 0) return ending
  if (ending !== undefined) throw ambiguous(label, [ending, ...others])
  const found =
    places.length === 1 && places[0] === ''
      ? 'its one network is the file itself (.), so that none is to be named'
      : `it has ${listed(places)}`
  throw new CheckpointError('not-found', `${label} has no network at the entry ${entry}; ${found}.`)
}

function ambiguous(label: string, places: readonly string[]): CheckpointError {
  const first = entryName(places[0] ?? '')
  return new CheckpointError(
    'ambiguous-entry',
    `${label} holds ${places.length} networks, ${listed(places)}, and nothing says which is meant. ` +
      `Name one: entry: '${first}' where a program loads it, --entry ${first} on the command line.`,
  )
}

function sourceAlone(label: string, place: string): CheckpointError {
  const name = entryName(place)
  return new CheckpointError(
    'ambiguous-entry',
    `${label} holds ${name} alone, which is what a teacher or an average was made with, and not what is published. ` +
      `If it is meant, name it: entry: '${name}' where a program loads it, --entry ${name} on the command line.`,
  )
}

/** So many places are named in a message. */
const MOST_LISTED = 8

function listed(places: readonly string[]): string {
  const names = places.slice(0, MOST_LISTED).map(entryName)
  return places.length > MOST_LISTED ? `${names.join(', ')}, …` : names.join(', ')
}
