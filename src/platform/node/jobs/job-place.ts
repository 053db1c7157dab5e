/** Opens the place of a job for as long as something is done there. */
import type { Job } from '../../../jobs/job.js'
import { readJob } from '../../../jobs/job.js'
import type { Storage } from '../../../storage/storage.js'
import { openStorage } from '../storage/open-storage.js'

/** Is where a job lies: a path, an address such as `s3://bucket/prefix`, or a place that is open already and stays so. */
export type JobPlace = string | URL | Storage

/** Gives back what it has opened. */
export async function withPlace<Found>(
  place: JobPlace,
  work: (storage: Storage) => Promise<Found>,
): Promise<Found> {
  if (typeof place !== 'string' && !(place instanceof URL)) return await work(place)
  await using storage = await openStorage(place)
  return await work(storage)
}

/** Reads the job that lies there as well. Throws `JobError` `not-found`, `damaged`; `StorageError`. */
export async function withJob<Found>(
  place: JobPlace,
  signal: AbortSignal | undefined,
  work: (storage: Storage, job: Job) => Promise<Found>,
): Promise<Found> {
  return await withPlace(place, async (storage) => work(storage, await readJob(storage, { signal })))
}
