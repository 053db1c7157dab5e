/** Tells which files beside a photo belong to it: what editors and phones have written about it, and the film of a Live Photo. They go where the photo goes. */

/** Are the endings of files that say something about a photo, or move with it. */
const ENDINGS = ['xmp', 'aae', 'json', 'mov', 'thm']

/** Is what Google Takeout puts between a photo's name and `.json`; long names are cut off anywhere within it. */
const TAKEOUT = 'supplemental-metadata'

/**
 * Gives the names among `siblings` (of one folder) that are sidecars of `name`: `a.jpg.xmp` and `a.xmp`, `a.jpg.json` and `a.jpg.supplemental-metadata.json`, `a.aae`, `a.mov`.
 * One that `a.xmp` is called may be that of `a.png` as well: it stays where such a sibling is, unless that is among `leaving`.
 */
export function sidecarsOf(
  name: string,
  siblings: readonly string[],
  isPhoto: (name: string) => boolean,
  leaving: ReadonlySet<string> = new Set(),
): readonly string[] {
  const whole = name.toLowerCase()
  const stem = stemOf(whole)
  const isShared = siblings.some(
    (other) =>
      other !== name && isPhoto(other) && !leaving.has(other) && stemOf(other.toLowerCase()) === stem,
  )
  return siblings.filter((sibling) => {
    const lower = sibling.toLowerCase()
    const ending = lower.slice(lower.lastIndexOf('.') + 1)
    if (sibling === name || !ENDINGS.includes(ending)) return false
    const before = stemOf(lower)
    if (before === whole || isTakeout(before, whole)) return true
    return before === stem && !isShared
  })
}

function isTakeout(before: string, whole: string): boolean {
  const rest = before.startsWith(`${whole}.`) ? before.slice(whole.length + 1) : null
  return rest !== null && rest !== '' && TAKEOUT.startsWith(rest)
}

function stemOf(name: string): string {
  const dot = name.lastIndexOf('.')
  return dot > 0 ? name.slice(0, dot) : name
}
