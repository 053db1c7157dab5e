/** Packs the package as it is published, once for all files of tests. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { madeOnce } from './made-once.js'
import { packageRoot } from './repository.js'

export interface Packed {
  /** Is where the tarball lies. */
  readonly path: string
  readonly size: number
  readonly files: readonly { readonly path: string }[]
}

export async function packPackage(): Promise<Packed> {
  const folder = await madeOnce('packed', async (folder) => {
    if (!existsSync(join(packageRoot, 'dist/index.js')))
      throw new Error('Nothing is built: run `npm run build`.')
    const { stdout } = await npm(['pack', '--json', '--pack-destination', folder], packageRoot)
    const [about] = Object.values(JSON.parse(stdout) as Record<string, NpmPacked>)
    if (about === undefined) throw new Error(`npm pack said nothing of what it packed: ${stdout}`)
    const { filename, size, files } = about
    const packed: Packed = { path: join(folder, filename), size, files }
    writeFileSync(join(folder, 'packed.json'), JSON.stringify(packed))
  })
  return JSON.parse(readFileSync(join(folder, 'packed.json'), 'utf8')) as Packed
}

interface NpmPacked extends Omit<Packed, 'path'> {
  readonly filename: string
}

/** Runs npm without what an outer `npm test` says about itself, which would make it work in the outer folder. */
export function npm(args: readonly string[], cwd: string) {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(package|lifecycle|config_local_prefix|command)|INIT_CWD)/.test(name),
  )
  const quick = [
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
    '--prefer-offline',
    '--fetch-retries=0',
    '--fetch-timeout=20000',
  ]
  return run('npm', [...args.slice(0, 1), ...quick, ...args.slice(1)], cwd, Object.fromEntries(own))
}

/** Rejects with what the command said, else its failure would have to be guessed. */
export async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = process.env,
) {
  try {
    return await promisify(execFile)(command, args, {
      cwd,
      env,
      timeout: 170_000,
      maxBuffer: 2 ** 26,
      shell: process.platform === 'win32' && command === 'npm',
    })
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error })
  }
}
