/** Says what is known of a photo that may be one of several copies. */

/** Is a photo that may be one of several copies. */
export interface Copy {
  /** Is the photo's id. */
  readonly id: string
  /** Names the root of its path. */
  readonly root: string
  /** Leads from the root to the file. */
  readonly path: string
  /** Is the SHA-256 of the file; of one that nobody has hashed a text that no other has. */
  readonly content: string
  /** Is a digest of the upright pixels. */
  readonly pixels: string
  /** Counts the bytes of the file. */
  readonly bytes: number
  /** Says when the file was last changed, in milliseconds since 1970. */
  readonly modified: number
  /** Is in pixels. */
  readonly height: number
  /** Is in pixels. */
  readonly width: number
  /** Says when it was taken; null where nothing says so. */
  readonly taken: number | null
  /** Is in degrees north. */
  readonly latitude: number | null
  /** Is in degrees east. */
  readonly longitude: number | null
}

/** Is a photo that could not be read again. */
export interface UnreadCopy {
  /** Is the photo. */
  readonly copy: Copy
  /** Says why. */
  readonly reason: string
}

const UNKNOWN = 'unknown content of '

/** Stands for the content of a file that nobody has hashed, as those that a job has embedded. */
export function unknownContent(id: string): string {
  return UNKNOWN + id
}

export function isKnownContent(content: string): boolean {
  return !content.startsWith(UNKNOWN)
}
