/** Says what objects are looked for in: keys or patches, whichever finds more for the family of the model. */
import {
  type EncoderDescription,
  type FacetChoice,
  type Features,
  OBJECT_KEYS,
  type ObjectFacet,
  objectFacetOf,
  type PatchMap,
} from 'plumage/browser'

/** Says what an encoder is to be asked for. */
export function objectFacets({
  identity,
  depth,
}: Pick<EncoderDescription, 'identity' | 'depth'>): readonly FacetChoice[] {
  if (objectFacetOf(identity.model) === 'patches') return []
  return [{ ...OBJECT_KEYS, layer: Math.max(OBJECT_KEYS.layer, -depth) }]
}

/** Is a map with what its patches are. */
export interface ObjectMap extends PatchMap {
  readonly facet: ObjectFacet
}

/** Gives what was asked for. */
export function objectMap({ facets: [keys] = [], patches, grid }: Features): ObjectMap {
  return keys === undefined
    ? { facet: 'patches', patches, grid }
    : { facet: 'keys', patches: keys.patches, grid }
}
