/** Makes the folder that vitest.config.ts named for what the tests of a run make, and takes it away with that. */
import { mkdirSync, rmSync } from 'node:fs'

export function setup(): void {
  const { PLUMAGE_TEST_FOLDER: folder } = process.env
  if (folder !== undefined) mkdirSync(folder, { recursive: true })
}

export function teardown(): void {
  const { PLUMAGE_TEST_FOLDER: folder } = process.env
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
}
