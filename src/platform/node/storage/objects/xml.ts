/** Reads the few plain documents that servers of objects answer with: elements without attributes that matter, nested by two levels at most. */

/** Gives what is inside of each element of that name, in order. */
export function elementsOf(xml: string, name: string): string[] {
  return [...xml.matchAll(elementPattern(name))].map(([, inside = '']) => inside)
}

/** Gives the text of the first element of that name; null where there is none. */
export function textOf(xml: string, name: string): string | null {
  const pattern = elementPattern(name)
  pattern.lastIndex = 0
  const inside = pattern.exec(xml)?.[1]
  return inside === undefined ? null : unescaped(inside)
}

const patterns = new Map<string, RegExp>()

/** A page of a listing asks for four elements of each of a thousand objects. */
function elementPattern(name: string): RegExp {
  const known = patterns.get(name)
  if (known !== undefined) return known
  const pattern = new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, 'g')
  patterns.set(name, pattern)
  return pattern
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function unescaped(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (all, hex, decimal, name) => {
    if (name !== undefined) return NAMED[name] ?? all
    return String.fromCodePoint(Number.parseInt(hex ?? decimal, hex === undefined ? 10 : 16))
  })
}

/** Writes a text so that it can stand in an element. */
export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
