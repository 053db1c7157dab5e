/** Makes a folder and those around it. */
import { mkdir } from 'node:fs/promises'

/** Accepts a folder that is there already. Rejects with what the system says of the first folder that cannot be made. */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    // Node says that a folder is missing where it cannot be made: asked for the first one alone, it tells the reason.
    await mkdir(error.path ?? path)
    await mkdir(path, { recursive: true })
  })
}
