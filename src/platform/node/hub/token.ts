/** Finds the token that a person is known to Hugging Face by, where its own library looks: `HF_TOKEN`, else a file. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Environment, expanded } from './hub-settings.js'
import { huggingFaceHome } from './python-caches.js'

/** Gives null where nobody has logged in. `hf auth login` writes the file; `HF_TOKEN_PATH` moves it. */
export function tokenOrNull(env: Environment): string | null {
  const told = env.HF_TOKEN?.trim()
  if (told) return told
  const path = expanded(env.HF_TOKEN_PATH, env) ?? join(huggingFaceHome(env), 'token')
  try {
    return readFileSync(path, 'utf8').trim() || null
  } catch {
    return null // There is no such file for most people.
  }
}
