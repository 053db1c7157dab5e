/** Reads times as ISO 8601 writes them. */

const ISO =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?(Z|[+-]\d\d:?\d\d)?)?)?)?$/i

/** Gives milliseconds since 1970; what has no zone is in UTC, as times of cameras are kept. Null for what is no such time, such as the 30th of February. */
export function timeOrNull(text: string): number | null {
  const found = ISO.exec(text.trim())
  if (found === null) return null
  const [, year, month = '01', day = '01', hour = '00', minute = '00', second = '00', part = '', zone = 'Z'] =
    found
  const local = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${part.padEnd(3, '0')}Z`)
  // The parser takes the 30th of February for the first of March.
  if (Number.isNaN(local) || new Date(local).getUTCDate() !== Number(day) || Number(hour) > 23) return null
  if (zone.toUpperCase() === 'Z') return local
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))]
  if (hours > 18 || minutes > 59) return null
  return local - (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
}
