/**
 * A download goes on where it stopped as HTTP lets it (RFC 9110, sections 13.1.5 and 14). These decisions are
 * pure, whoever fetches.
 */

/** Holds what a server says to tell one version of a file from another. */
export interface Version {
  readonly etag: string | null
  readonly lastModified: string | null
}

/** Gives what `If-Range` may name: a strong ETag, else the date. */
export function validator(version: Version): string | null {
  return version.etag !== null && !version.etag.startsWith('W/') ? version.etag : version.lastModified
}

/** Bytes of an unnamed version are joined only where the hash of the whole will tell. */
export function resumable(version: Version | null, hashed: boolean): boolean {
  return version !== null && (hashed || validator(version) !== null)
}

/**
 * Tells whether nothing speaks against one version: a server need not name it again (RFC 9110, section
 * 15.3.7).
 */
export function sameVersion(ours: Version | null, theirs: Version): boolean {
  if (ours === null) return false
  if (ours.etag !== null && theirs.etag !== null) return ours.etag === theirs.etag
  return (
    ours.lastModified === null || theirs.lastModified === null || ours.lastModified === theirs.lastModified
  )
}

/**
 * Tells whether both name themselves, and alike. Where neither a hash nor `If-Range` vouches for pieces, only
 * this does.
 */
export function provenSameVersion(ours: Version | null, theirs: Version): boolean {
  return (
    ours !== null &&
    sameVersion(ours, theirs) &&
    validator(ours) !== null &&
    validator(ours) === validator(theirs)
  )
}

export function parseContentRange(
  value: string | null | undefined,
): { start: number; total: number | null } | null {
  const match = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(value ?? '')
  return match ? { start: Number(match[1]), total: match[2] === '*' ? null : Number(match[2]) } : null
}

/** Reads a length as a header gives it. */
export function numberOrNull(text: string | null | undefined): number | null {
  return text !== null && text !== undefined && /^\d+$/.test(text) ? Number(text) : null
}
