/** Finds what stands out of a photo: every patch is compared with every other, and they are cut in two (TokenCut, Wang et al. 2022). */
import { type FoundObject, findObject, OBJECT_SETTINGS } from 'plumage'
import type { ObjectMap } from './object-map.js'

/** Gives null where nothing stands out. */
export async function objectIn({ facet, patches, grid }: ObjectMap): Promise<FoundObject | null> {
  if (grid.rows * grid.columns < 2) return null
  return await findObject({ patches, grid }, OBJECT_SETTINGS[facet])
}
