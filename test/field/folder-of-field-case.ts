/** Leads to the inputs of the field cases, which lie beside their tests. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export function folderOfFieldCase(path: string): string {
  return join(fileURLToPath(new URL('.', import.meta.url)), path)
}
