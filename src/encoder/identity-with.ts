/** Adds to an identity what a number rests on beside network and recipe. */
import { sortedJson } from './identity.js'
import type { Identity } from './types.js'
import { digestOfText } from './weight-digest.js'

/** Gives an identity of its own to what was made with these settings too: they stand among the others, by their names. */
export function identityWith(identity: Identity, added: Readonly<Record<string, unknown>>): Identity {
  const settings = sortedJson({ ...(JSON.parse(identity.settings) as object), ...added })
  return { ...identity, settings, digest: digestOfText(`${identity.weights}\n${settings}`) }
}
