/** Tells by their form the hashes that a hub names files and commits by, in hexadecimal digits of lower case. */

/** A large file is named by its SHA-256. */
export function isSha256(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}

/** A commit, and a small file, is named by git's SHA-1. */
export function isGitHash(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text)
}
