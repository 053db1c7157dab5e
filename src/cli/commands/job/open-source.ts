/** Opens what a job is made of. */
import { given } from '../../../encoder/choose-recipe.js'
import { isAddress, isDatabase, serverOf } from '../../../is-address.js'
import type { RowSource } from '../../../jobs/create-job.js'
import { isPattern } from '../../../jobs/sources/expand-pattern.js'
import { openJobSource } from '../../../jobs/sources/open-job-source.js'
import type { SourceKind } from '../../../jobs/sources/source.js'
import { SourceError } from '../../../jobs/sources/source-error.js'
import { nodeSourceWorld } from '../../../platform/node/jobs/source-world.js'
import { namedPlace, shownName } from '../../../platform/node/storage/named-place.js'
import { openStorage } from '../../../platform/node/storage/open-storage.js'
import type { Storage } from '../../../storage/storage.js'
import { meantBeside } from '../../../work/meant-beside.js'
import { UsageError } from '../../cli-error.js'
import type { CommandContext } from '../../context.js'
import { leftOutNoticeOrNull } from '../../left-out-notice.js'

export interface SourceChoice {
  readonly sourceKind?: SourceKind | undefined
  readonly column?: string | undefined
  readonly contact?: string | undefined
}

/** Dispose of it when the rows have been read. */
export interface OpenSource extends RowSource, AsyncDisposable {
  /** Says what was passed over; null where nothing was. */
  leftOut(): string | null
}

export async function openSource(
  { files, cwd, signal, heicAdvice }: CommandContext,
  named: string,
  { sourceKind: kind, column, contact }: SourceChoice,
): Promise<OpenSource> {
  const storages = new Map<string, Storage>()
  const address = /^file:/i.test(named) ? files.resolve(named) : named
  // A query would be of one file alone, and the job keeps what its source is called.
  if (/^https?:/i.test(address) && /[?@]/.test(address))
    throw new UsageError(
      `${shownName(address)} has a query or a password, which a job would keep for all to read: fetch it, and give its path.`,
    )
  // A kind that nobody reads is refused by its name before anything is asked of it.
  if (isAddress(address) && !isDatabase(address)) namedPlace(address)
  if (!isAddress(address) && !isPattern(address) && (await files.look(address)) === null)
    throw new SourceError(
      'not-found',
      `There is nothing at ${address} (looked from ${cwd}).${await meantBeside(files, address)}`,
    )
  const place = serverOf(address)
  if (place !== undefined) storages.set(place, await openStorage(place))
  const close = async () => {
    for (const storage of storages.values()) await storage[Symbol.asyncDispose]()
  }
  try {
    const world = nodeSourceWorld({ base: cwd, storages })
    const source = await openJobSource(address, world, { ...given({ kind, column, contact }), signal })
    return {
      label: source.label,
      base: files.resolve('.'),
      rows: (ending) => source.rows(ending),
      leftOut: () => leftOutNoticeOrNull(source.leftOut.counts, { heicAdvice }),
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
