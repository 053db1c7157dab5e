/** Reads what Hugging Face answers when it is asked what a repository holds, and tells what has changed since it was asked before. */
import { isRecord, type PlainRecord, type PlainValue, parseJsonOrNull } from '../plain-value.js'
import { isGitHash, isSha256 } from './hash-names.js'

export interface RepositoryFile {
  readonly name: string
  readonly size: number | undefined
  /** Is known of large files only. */
  readonly sha256: string | undefined
  /** Names the content as the hub does: the SHA-256 of a large file, git's SHA-1 of a small one. */
  readonly etag: string | undefined
}

export interface RepositoryListing {
  readonly commit: string
  readonly files: readonly RepositoryFile[]
  /** Names the folders of the repository that hold files. */
  readonly folders: readonly string[]
  /** Is what the repository says of itself, such as `apache-2.0`; null where it says nothing. */
  readonly licence: string | null
  readonly gated: boolean
}

const MOST_FILES = 10_000
/** Every name comes from a server: none may lead out of the folder. */
const FILE_NAME = /^(?:[A-Za-z0-9][\w.-]{0,200}\/)*[A-Za-z0-9][\w.-]{0,200}$/

/**
 * Gives null for an answer that is no listing.
 *
 * @param subfolder gives the files of that folder, by their names in it; default: those at the top
 */
export function parseListing(text: string, subfolder?: string): RepositoryListing | null {
  const answer = parseJsonOrNull(text)
  if (!isRecord(answer)) return null
  const { sha: commit, siblings, gated } = answer
  if (typeof commit !== 'string' || !isGitHash(commit) || !Array.isArray(siblings)) return null
  const all = siblings.slice(0, MOST_FILES).filter(isRecord).flatMap(fileOf)
  const folderOf = (name: string) => name.slice(0, Math.max(0, name.lastIndexOf('/')))
  const files = all
    .filter(({ name }) => folderOf(name) === (subfolder ?? ''))
    .map((file) => ({ ...file, name: file.name.slice(file.name.lastIndexOf('/') + 1) }))
  const folders = [...new Set(all.map(({ name }) => folderOf(name)))].filter((folder) => folder !== '')
  const isGated = gated !== undefined && gated !== false
  return { commit, files, folders, licence: licenceOf(answer), gated: isGated }
}

function fileOf(entry: PlainRecord): readonly RepositoryFile[] {
  const { rfilename: name, size, lfs, blobId } = entry
  if (typeof name !== 'string' || !FILE_NAME.test(name)) return []
  const sha256 = isRecord(lfs) ? matching(lfs.sha256, isSha256) : undefined
  // git's own hash of a large file is that of the few lines which stand for it.
  const etag = isRecord(lfs) ? sha256 : matching(blobId, isGitHash)
  return [{ name, size: typeof size === 'number' ? size : undefined, sha256, etag }]
}

function matching(value: PlainValue | undefined, isIt: (text: string) => boolean): string | undefined {
  return typeof value === 'string' && isIt(value) ? value : undefined
}

/** A licence that is none of the hub's list is called `other` there, with its name beside it. */
function licenceOf({ cardData, tags }: PlainRecord): string | null {
  const card = isRecord(cardData) ? cardData : {}
  if (card.license === 'other' && typeof card.license_name === 'string') return card.license_name
  if (typeof card.license === 'string') return card.license
  const tag = Array.isArray(tags)
    ? tags.find((tag) => typeof tag === 'string' && tag.startsWith('license:'))
    : null
  return typeof tag === 'string' ? tag.slice('license:'.length) : null
}

/** Says in sentences what is otherwise than it was before. */
export function changesBetween(
  before: RepositoryListing,
  now: RepositoryListing,
  names: ReadonlySet<string>,
): readonly string[] {
  const changes: string[] = []
  if (before.licence !== now.licence)
    changes.push(`The licence was ${before.licence ?? 'not named'} and is ${now.licence ?? 'not named'}.`)
  if (before.gated !== now.gated) changes.push(now.gated ? 'It is gated now.' : 'It is gated no more.')
  const known = new Map(before.files.map((file) => [file.name, file]))
  for (const file of now.files.filter(({ name }) => names.has(name))) {
    const former = known.get(file.name)
    if (former?.etag !== undefined && file.etag !== undefined && former.etag !== file.etag)
      changes.push(`${file.name} is another file than at commit ${before.commit.slice(0, 8)}.`)
  }
  return changes
}
