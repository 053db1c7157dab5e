/** Says which photos and films of folders, lists and buckets are not taken, and how they would be: in the same words whatever the command. */
import { CAMERA_RAW_ADVICE } from '../image/decodable.js'
import { FILM_KIND, isConvertible, type LeftOut, leftOutLineOrNull, RAW_KIND } from '../work/left-out.js'

/** @param films says how films are taken; null gives no advice */
export function leftOutNoticeOrNull(
  counts: LeftOut['counts'],
  { heicAdvice, films = null }: { readonly heicAdvice: string | null; readonly films?: string | null },
): string | null {
  const line = leftOutLineOrNull(counts)
  if (line === null) return null
  const convertible = Object.keys(counts).filter(isConvertible)
  const advice = [
    ...(counts[FILM_KIND] === undefined || films === null ? [] : [films]),
    ...(counts.HEIC === undefined || heicAdvice === null ? [] : [`For HEIC: ${heicAdvice}`]),
    ...(counts[RAW_KIND] === undefined ? [] : [`For ${RAW_KIND}: ${CAMERA_RAW_ADVICE}`]),
    ...(convertible.length === 0 ? [] : [`For ${convertible.join(', ')}: Convert to JPEG or PNG.`]),
  ]
  return advice.length === 0 ? line : `${line}. ${advice.join(' ')}`
}
