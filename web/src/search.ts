/** Says what is looked for: what is like a place of a photo, or like a photo as a whole. */
import type { PatchPlace } from './photo.js'

export type Search =
  | { readonly kind: 'place'; readonly place: PatchPlace }
  | { readonly kind: 'photo'; readonly photo: number }

export function photoOf(search: Search): number {
  return search.kind === 'place' ? search.place.photo : search.photo
}
