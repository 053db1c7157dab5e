/** Finds the folder that Birder keeps weights in: `models`, unless the environment or `birder.toml` moves it. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Environment } from './hub-settings.js'

/**
 * Gives an absolute path, by Birder's own order: the variable `MODELS_DIR`, then `MODELS_DIR` and `BASE_DIR` of `birder.toml` in the working folder.
 * Nothing is made there.
 *
 * @see Birder 0.8.4, conf/settings.py
 */
export function birderModels(env: Environment, workingFolder: string): string {
  if (env.MODELS_DIR) return resolve(workingFolder, env.MODELS_DIR)
  const settings = settingsIn(workingFolder)
  return resolve(workingFolder, settings('MODELS_DIR') ?? join(settings('BASE_DIR') ?? '.', 'models'))
}

/** Of the file only two texts at its top are wanted. */
function settingsIn(folder: string): (name: string) => string | null {
  let text = ''
  try {
    text = readFileSync(join(folder, 'birder.toml'), 'utf8')
  } catch {
    // Hardly anybody has one.
  }
  return (name) => {
    const [, quoted, literal] =
      new RegExp(`^${name}\\s*=\\s*(?:"([^"\\\\]*)"|'([^']*)')`, 'm').exec(text) ?? []
    return quoted ?? literal ?? null
  }
}
