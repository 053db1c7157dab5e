/** Reads the two files that AWS's tools share, as far as credentials, a region and an endpoint stand in them. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StorageError } from '../../../../storage/storage-error.js'
import { type Environment, expanded, homeFolder } from '../../hub/hub-settings.js'

export type Profile = Readonly<Record<string, string>>

/** Gives all settings of a profile, those of the credentials file first; null where neither file has it. */
export async function profileOrNull(name: string, env: Environment): Promise<Profile | null> {
  const folder = join(homeFolder(env), '.aws')
  const [config, credentials] = await Promise.all([
    sectionsOf(expanded(env.AWS_CONFIG_FILE, env) ?? join(folder, 'config')),
    sectionsOf(expanded(env.AWS_SHARED_CREDENTIALS_FILE, env) ?? join(folder, 'credentials')),
  ])
  const configured =
    config.get(name === 'default' ? 'default' : `profile ${name}`) ?? config.get(`profile ${name}`)
  const kept = credentials.get(name)
  return configured === undefined && kept === undefined ? null : { ...configured, ...kept }
}

/** Says which profile is meant. */
export function profileName(env: Environment): string {
  return env.AWS_PROFILE || 'default'
}

async function sectionsOf(path: string): Promise<ReadonlyMap<string, Profile>> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return ''
    // What is in the file may not be said; why it cannot be read may.
    throw new StorageError(
      'refused',
      `${path} cannot be read: ${cause.code ?? 'it fails'}. Let it be read, or move it away.`,
    )
  })
  const sections = new Map<string, Record<string, string>>()
  let section: Record<string, string> | null = null
  for (const line of text.split(/\r?\n/)) {
    const [, title] = /^\s*\[\s*(.*?)\s*\]/.exec(line) ?? []
    if (title !== undefined) {
      section = sections.get(title) ?? {}
      sections.set(title, section)
      continue
    }
    // An indented line belongs to a setting of several lines, none of which is read here.
    const [, name, value] = /^([\w-]+)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (section !== null && name !== undefined && value !== undefined) section[name.toLowerCase()] = value
  }
  return sections
}
