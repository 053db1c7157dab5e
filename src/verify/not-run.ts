/**
 * Lists what of the goldens is not run, each with its reason: whole kinds of case, and single cases of kinds that are run. The lists are closed. A case on
 * them must be refused in the words that stand beside it, so that one whose network is run one day, or fails otherwise, is a failure that is seen.
 */

import type { GoldenCase } from './case.js'

/** Gives the reason by the kind. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ['tokenizer', 'texts are not read, since images alone are embedded'],
])

/** Tells the heads that are run, Meta's linear classifiers, from all others. */
const OTHER_HEADS = 'heads of depth and segmentation lie in files of their own, which nothing here opens'

interface Refusal {
  readonly id: RegExp
  /** Is what the refusal must say. */
  readonly words: RegExp
  readonly reason: string
}

const REFUSED: readonly Refusal[] = [
  {
    id: /^(birder\/(rope-)?vit-v?moe|introspection\/moe-routing)/,
    words: /cannot run routed experts.*The native and the reference engine can/,
    reason: 'only the native and the reference engine run routed experts',
  },
]

/** Are left out unseen. */
const SUPERSEDED: ReadonlyMap<string, string> = new Map([
  [
    'tiny/rope-i-pn-aps.dynamic-24x40',
    'Birder 0.6 laid the angles of a rectangle out column by column where its grid is indexed xy; 0.8 has mended that and is followed, and the goldens of families have its like',
  ],
])

/** Says why a head is not run; null for one that is. */
export function reasonOfHeadOrNull({ kind, family }: GoldenCase): string | null {
  return kind === 'head' && family !== 'classifier' ? OTHER_HEADS : null
}

/** Says why nothing runs cases of this kind, which no runner is known for. */
export function reasonOfKind(kind: string): string {
  return KINDS.get(kind) ?? 'this release does not know the kind'
}

/** Says why this case is left out; null where it is to be run. */
export function supersededOrNull(id: string): string | null {
  return SUPERSEDED.get(id) ?? null
}

/** Says why a case was rightly refused; null where it was not to be refused, or not so. */
export function refusalOrNull(id: string, message: string): string | null {
  return REFUSED.find((refusal) => refusal.id.test(id) && refusal.words.test(message))?.reason ?? null
}
