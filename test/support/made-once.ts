/** Makes on the disk what files of tests share: workers are processes, and each would build and pack for itself. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lock } from 'proper-lockfile'
import { packageRoot } from './repository.js'

/** The run of vitest names it, in vitest.config.ts, and takes it away in the end. */
function folderOfRun(): string {
  return process.env.PLUMAGE_TEST_FOLDER ?? join(packageRoot, '.plumage/tests')
}

const made = new Map<string, Promise<string>>()

/**
 * Resolves to the folder `name` of this run, in which `make` has been called once, by whichever process came first. The others wait.
 *
 * @param make is called again, with what is there, where it failed
 */
export function madeOnce(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const known = made.get(name) ?? makeOnce(name, make)
  made.set(name, known)
  return known
}

async function makeOnce(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(folderOfRun(), name)
  mkdirSync(folder, { recursive: true })
  // They wait for a minute and a half: installing from a registry may take that long.
  const release = await lock(folder, { stale: 20_000, retries: { retries: 450, factor: 1, minTimeout: 200 } })
  try {
    const done = join(folder, '.made')
    if (!existsSync(done)) {
      await make(folder)
      writeFileSync(done, '')
    }
  } finally {
    await release()
  }
  return folder
}

/** Makes a folder of this process. */
export function ownFolder(name: string): string {
  const folder = join(folderOfRun(), `${name}-${process.pid}`)
  mkdirSync(folder, { recursive: true })
  return folder
}
