/** Takes away what the tests of a run have made in the folder that vitest.config.ts named. */
import { rmSync } from 'node:fs'

export function teardown(): void {
  const { PLUMAGE_TEST_FOLDER: folder } = process.env
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
}
