/**
 * Finds the names of models that a text may have meant: those that go on where it ends, then those but a slip away in spelling, then those near in
 * meaning, since one network has a name in each library.
 */
import { editDistance, nearestNames } from '../nearest-names.js'

/** Gives the `count` names that are nearest, nearest first. */
export function suggestModels(text: string, names: readonly string[], count = 3): readonly string[] {
  const wanted = meaningOf(text)
  return names
    .map((name) => ({
      name,
      isBegun: begins(name, text),
      shared: likeness(wanted, meaningOf(name)),
      distance: editDistance(text.toLowerCase(), name.toLowerCase()),
    }))
    .sort(
      (a, b) =>
        Number(b.isBegun) - Number(a.isBegun) ||
        Number(b.distance <= SLIP) - Number(a.distance <= SLIP) ||
        b.shared - a.shared ||
        a.distance - b.distance,
    )
    .slice(0, count)
    .map(({ name }) => name)
}

/** So many letters are mistyped at a time. */
const SLIP = 2

/**
 * Gives the known name that an id of a repository is but a slip away from, has the end of under another owner, or is without its tag, as timm takes names.
 * Gives null for an id that is known, or is like none. What is near is not wrong for it: anybody may have a repository by a name like a known one.
 */
export function nearMissOrNull(id: string, names: readonly string[]): string | null {
  if (names.includes(id)) return null
  const lastOf = (name: string) => name.slice(name.indexOf('/') + 1).toLowerCase()
  const [nearest] = names
    .map((name) => ({
      name,
      distance: editDistance(lastOf(id), lastOf(name)),
      whole: editDistance(id.toLowerCase(), name.toLowerCase()),
    }))
    .filter(
      ({ name, distance }) =>
        (distance <= SLIP && lastOf(name).length > 3 * SLIP) || lastOf(name).startsWith(`${lastOf(id)}.`),
    )
    .sort((a, b) => a.whole - b.whole)
  return nearest?.name ?? null
}

/** Gives the part of names that a text is a slip away from, since whole names are far from it; of two, one as long, whose letters were swapped. */
export function nearPartOrNull(text: string, names: readonly string[]): string | null {
  const lengthens = (part: string) => Math.abs(part.length - text.length)
  const parts = [...new Set(names.flatMap((name) => name.toLowerCase().split(/[^a-z0-9]+/)))]
  parts.sort((a, b) => lengthens(a) - lengthens(b))
  const slip = Math.min(SLIP, Math.floor(text.length / 3))
  return nearestNames(text.toLowerCase(), parts, 1, slip)[0] ?? null
}

/** Whoever leaves off the end of a name means it: Birder's names begin with the network and end with how it was trained. */
function begins(name: string, text: string): boolean {
  return (
    /[a-z]\d/i.test(text) &&
    name.toLowerCase().startsWith(text.toLowerCase()) &&
    /^[^a-z0-9]/i.test(name.slice(text.length))
  )
}

/** Libraries write one thing in several ways. */
const MEANS: Readonly<Record<string, string>> = {
  tiny: 't',
  small: 's',
  base: 'b',
  large: 'l',
  giant: 'g',
  huge: 'h',
  registers: 'reg',
  register: 'reg',
}
/** These words tell no network from another. */
const EMPTY = new Set(['with', 'patch', 'model', 'hf', 'hub', 'timm', 'facebook', 'birder', 'project'])

/** Takes a name apart into what its parts mean: `dinov2_vits14_reg` and `facebook/dinov2-with-registers-small` both say dino, v2, s, reg. */
function meaningOf(name: string): ReadonlySet<string> {
  const words = name
    .toLowerCase()
    .replace(/dino[-_]?v(\d)/g, 'dino_v$1')
    .replace(/vit([tsblgh])(\d)/g, 'vit_$1_$2')
    .replace(/(?<=[/_-]|^)([tsblgh])(\d+)(?=[_-]|$)/g, '$1_$2')
    .replace(/patch(\d)/g, 'patch_$1')
    .replace(/reg\d*(?=[_-]|$)/g, 'reg')
    .split(/[^a-z0-9]+/)
  return new Set(words.map((word) => MEANS[word] ?? word).filter((word) => word !== '' && !EMPTY.has(word)))
}

/** Is 1 where all parts are the same and 0 where none is (Jaccard's index). */
function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const shared = [...a].filter((word) => b.has(word)).length
  return shared / (a.size + b.size - shared || 1)
}
