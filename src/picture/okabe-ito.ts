/**
 * Holds colours for things that have no order. They are those of Okabe and Ito ("Color Universal Design", 2008, https://jfly.uni-koeln.de/color/), which
 * people who see two of three colours tell apart, without black, which is lost on photos.
 */
export const OKABE_ITO: readonly (readonly [red: number, green: number, blue: number])[] = [
  [230, 159, 0],
  [86, 180, 233],
  [0, 158, 115],
  [240, 228, 66],
  [0, 114, 178],
  [213, 94, 0],
  [204, 121, 167],
]
