/**
 * Holds colours that people tell apart whatever colours they see (Okabe and Ito, "Color Universal Design", 2008), black left out, which is no colour on a dark
 * photo.
 */
export const GROUP_COLORS: readonly (readonly [red: number, green: number, blue: number])[] = [
  [230, 159, 0],
  [86, 180, 233],
  [0, 158, 115],
  [240, 228, 66],
  [0, 114, 178],
  [213, 94, 0],
  [204, 121, 167],
]
