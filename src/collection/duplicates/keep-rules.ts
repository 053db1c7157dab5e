/** Says which of several copies of one picture is kept: rules in an order, the first that tells two copies apart decides. */
import { nearestNames } from '../../nearest-names.js'
import type { Copy } from './copy.js'

/** Is a rule by its name, or `folder:` and the path of a folder whose photos are kept. */
export type KeepRule = KeepRuleName | `folder:${string}`

/** Names a rule. */
export type KeepRuleName = 'largest' | 'metadata' | 'bytes' | 'oldest' | 'newest' | 'path'

/** Is the order in which copies are held against each other where nobody says otherwise. Before any of them, a copy that was made of another loses. */
export const KEEP_RULES: readonly KeepRuleName[] = ['largest', 'metadata', 'oldest', 'bytes', 'path']

/** Says in words what each rule keeps. */
export const KEEP_RULE_WORDS: Readonly<Record<KeepRuleName, string>> = {
  largest: 'the one of most pixels',
  metadata: 'the one that says most of when and where it was taken',
  bytes: 'the larger file',
  oldest: 'the file that was changed first',
  newest: 'the file that was changed last',
  path: 'the shorter path, then the first by name',
}

/** Each gives a number below 0 where the first copy is kept, above 0 where the second is, and 0 where it cannot tell. */
const COMPARE: Readonly<Record<KeepRuleName, (a: Copy, b: Copy) => number>> = {
  largest: (a, b) => b.height * b.width - a.height * a.width,
  metadata: (a, b) => facts(b) - facts(a),
  bytes: (a, b) => b.bytes - a.bytes,
  oldest: (a, b) => a.modified - b.modified,
  newest: (a, b) => b.modified - a.modified,
  path: (a, b) => depth(a) - depth(b) || (placeOf(a) < placeOf(b) ? -1 : placeOf(a) > placeOf(b) ? 1 : 0),
}

function facts({ taken, latitude }: Copy): number {
  return Number(taken !== null) + Number(latitude !== null)
}

function placeOf({ root, path }: Copy): string {
  return `${root}/${path}`
}

function depth(copy: Copy): number {
  return placeOf(copy).length
}

/** Reads a list such as `folder:Best,oldest`. Throws RangeError for what is no rule, with the nearest. */
export function readKeepRules(text: string): readonly KeepRule[] {
  return text.split(',').map((word) => {
    const rule = word.trim()
    checkRule(rule)
    return rule
  })
}

function checkRule(rule: string): asserts rule is KeepRule {
  if (rule.startsWith('folder:') && rule.length > 'folder:'.length) return
  if (Object.hasOwn(COMPARE, rule)) return
  const names = [...Object.keys(COMPARE), 'folder:<path>']
  throw new RangeError(
    `There is no rule ${JSON.stringify(rule)}. Did you mean ${nearestNames(rule, names, 1).join()}? There are ${names.join(', ')}.`,
  )
}

/** Compares copies for sorting, the one to keep first. What the rules leave open the path decides, so that the order is always the same. Throws RangeError as `readKeepRules`. */
export function byKeepRules(rules: readonly KeepRule[]): (a: Copy, b: Copy) => number {
  const steps = [...rules, 'path' as const].map((rule) => {
    checkRule(rule)
    return rule.startsWith('folder:') ? inFolder(rule.slice('folder:'.length)) : COMPARE[rule as KeepRuleName]
  })
  return (a, b) => {
    for (const step of steps) {
      const found = step(a, b)
      if (found !== 0) return found
    }
    return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
  }
}

function inFolder(folder: string): (a: Copy, b: Copy) => number {
  const wanted = `${folder.replace(/\/+$/, '')}/`
  const lies = (copy: Copy) => placeOf(copy).startsWith(wanted) || copy.path.startsWith(wanted)
  return (a, b) => Number(lies(b)) - Number(lies(a))
}
