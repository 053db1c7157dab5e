/** Says where a job lies that the command line names: relative paths start where the command does. */
import { isAddress } from '../../../is-address.js'
import { JobError } from '../../../jobs/job-error.js'
import { JOB_KEY } from '../../../jobs/keys.js'
import { below } from '../../../work/files.js'
import { meantBeside } from '../../../work/meant-beside.js'
import type { CommandContext } from '../../context.js'

export function jobPlace({ files }: CommandContext, place: string): string {
  return isAddress(place) ? place : files.resolve(place)
}

/** Throws `JobError` `not-found` for a folder without a job, with the one beside it that was likely meant. */
export async function assertJob(context: CommandContext, place: string): Promise<void> {
  const { files } = context
  if (isAddress(place)) return
  const hasJob = (folder: string) => files.look(below(files, folder, JOB_KEY)).then((found) => found !== null)
  const folder = files.resolve(place)
  if (await hasJob(folder)) return
  const around = files.resolve(below(files, folder, '..'))
  const meant = await meantBeside(files, place, ({ name }) => hasJob(below(files, around, name)))
  throw new JobError(
    'not-found',
    `There is no job in ${place}: it has no ${JOB_KEY}.${meant} Make one with plumage job create, and list those of a folder with plumage job list.`,
  )
}
