/** Adds to an identity what a number rests on beside network and recipe. */
import { OVERLAP_RULE } from '../model/overlap.js'
import type { PositionRule } from '../model/positions.js'
import { sortedJson } from './identity.js'
import type { SettledTiles } from './tiles.js'
import type { Identity } from './types.js'
import { digestOfText } from './weight-digest.js'

/** Gives an identity of its own to what was made with these settings too: they stand among the others, by their names. */
export function identityWith(identity: Identity, added: Readonly<Record<string, unknown>>): Identity {
  const settings = sortedJson({ ...(JSON.parse(identity.settings) as object), ...added })
  return { ...identity, settings, digest: digestOfText(`${identity.weights}\n${settings}`) }
}

/**
 * Gives the identity that an encoder's features have where patches overlap, before there are any.
 *
 * @param positions is how positions are resampled if the caller has said so
 */
export function overlappingIdentity(
  identity: Identity,
  stride: number,
  positions: PositionRule | undefined,
): Identity {
  const { positions: used } = JSON.parse(identity.settings) as { readonly positions?: unknown }
  return identityWith(identity, {
    stride,
    positions: used === 'none' ? used : (positions ?? OVERLAP_RULE),
  })
}

/** Gives the identity of what an encoder finds tile by tile, before there is any of it. Directions count by their digest: in full they would be most of the text. */
export function tiledIdentity(identity: Identity, { size, overlap, blend, keep }: SettledTiles): Identity {
  const kept =
    typeof keep === 'string' ? keep : digestOfText(JSON.stringify([[...keep.mean], [...keep.components]]))
  return identityWith(identity, { tiles: { size, overlap, blend, keep: kept } })
}
