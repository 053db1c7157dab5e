/** Finds the jobs that lie in a place, or right below it. */
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import { readJobOrNull } from '../../../jobs/job.js'
import { type JobProgress, jobStatusOf } from '../../../jobs/job-status.js'
import { JOB_KEY } from '../../../jobs/keys.js'
import type { ListOptions, ReadOptions, Storage, WriteOptions } from '../../../storage/storage.js'
import type { JobOptions } from './follow-job.js'
import { type JobPlace, withPlace } from './job-place.js'
import { rowHash } from './row-hash.js'

const OPTIONS = { signal: true } satisfies OptionNames<JobOptions>

/** Is a job that was found. */
export interface ListedJob {
  /** Names it below the place; empty where it lies right there. */
  readonly key: string
  /** Says how far it is. */
  readonly progress: JobProgress
}

/** Gives the jobs that lie in a place and in the folders right below it. Throws `StorageError`; `JobError` `damaged`. */
export async function* listJobs(place: JobPlace, options: JobOptions = {}): AsyncGenerator<ListedJob> {
  checkOptionNames(options, OPTIONS)
  const { signal } = options
  const found = await withPlace(place, async (storage) => {
    const jobs: ListedJob[] = []
    for (const key of await jobKeys(storage, signal)) {
      const own = key === '' ? storage : new Below(storage, `${key}/`)
      const job = await readJobOrNull(own, { signal })
      if (job !== null)
        jobs.push({ key, progress: await jobStatusOf(own, job, rowHash, { now: Date.now(), signal }) })
    }
    return jobs
  })
  yield* found
}

/** A job has thousands of objects: all that begin with a name are passed over by one step. */
async function jobKeys(storage: Storage, signal: AbortSignal | undefined): Promise<readonly string[]> {
  if ((await storage.look(JOB_KEY, { signal })) !== null) return ['']
  const keys: string[] = []
  for (let after: string | undefined; ; ) {
    const first = await firstAfter(storage, after, signal)
    if (first === null) return keys
    const [name = '', ...rest] = first.split('/')
    if (rest.length > 0 && (await storage.look(`${name}/${JOB_KEY}`, { signal })) !== null) keys.push(name)
    // Behind all names below it: no key has a letter behind the last that there is.
    after = rest.length > 0 ? `${name}/\u{10ffff}` : first
  }
}

async function firstAfter(
  storage: Storage,
  after: string | undefined,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  for await (const { key } of storage.list(after === undefined ? { signal } : { after, signal })) return key
  return null
}

/** Is what lies below a name of another place. */
class Below implements Storage {
  readonly label: string
  readonly isWritable: boolean
  readonly #storage: Storage
  readonly #prefix: string

  constructor(storage: Storage, prefix: string) {
    this.label = `${storage.label}/${prefix.slice(0, -1)}`
    this.isWritable = storage.isWritable
    this.#storage = storage
    this.#prefix = prefix
  }

  look(key: string, options?: { readonly signal?: AbortSignal | undefined }) {
    return this.#storage.look(this.#prefix + key, options)
  }

  read(key: string, options?: ReadOptions) {
    return this.#storage.read(this.#prefix + key, options)
  }

  write(key: string, content: Parameters<Storage['write']>[1], options?: WriteOptions) {
    return this.#storage.write(this.#prefix + key, content, options)
  }

  async *list({ prefix = '', after, signal }: ListOptions = {}) {
    const behind = after === undefined ? {} : { after: this.#prefix + after }
    for await (const object of this.#storage.list({ prefix: this.#prefix + prefix, ...behind, signal }))
      yield { ...object, key: object.key.slice(this.#prefix.length) }
  }

  remove(key: string, options?: { readonly signal?: AbortSignal | undefined }) {
    return this.#storage.remove(this.#prefix + key, options)
  }

  /** The place that it lies in is not its own. */
  async [Symbol.asyncDispose](): Promise<void> {}
}
