/** Says which of many places lie within a line that is drawn, and which is next in a direction. */

export type MapPlace = readonly [x: number, y: number]

/** Yields the numbers of the places within a closed line: a ray from them crosses it an odd number of times. */
export function* within(line: readonly MapPlace[], places: readonly MapPlace[]): Generator<number> {
  for (const [number, [x, y]] of places.entries()) {
    let isInside = false
    let last = line[line.length - 1]
    for (const point of line) {
      const [ax, ay] = point
      const [bx, by] = last ?? point
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) isInside = !isInside
      last = point
    }
    if (isInside) yield number
  }
}

/** Gives the nearest place in a direction, what lies aside counting double; the same again where there is none, and the first where there is no `from`. */
export function nextTowards(places: readonly MapPlace[], from: number, [dx, dy]: MapPlace): number {
  const start = places[from]
  if (start === undefined) return places.length > 0 ? 0 : -1
  let next = from
  let nearest = Number.POSITIVE_INFINITY
  for (const [number, [x, y]] of places.entries()) {
    const along = (x - start[0]) * dx + (y - start[1]) * dy
    const aside = Math.abs((x - start[0]) * dy) + Math.abs((y - start[1]) * dx)
    if (number === from || !(along > 0) || along < aside / 2) continue
    const distance = along + 2 * aside
    if (distance >= nearest) continue
    nearest = distance
    next = number
  }
  return next
}
