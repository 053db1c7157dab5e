/** Packs the package as it is published, once for all files of tests. */
import { execFile } from 'node:child_process'
import { constants, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { copyFile, cp, link, mkdir, readdir, readlink, symlink } from 'node:fs/promises'
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

/**
 * Makes of the folder `to` a project of a stranger with all of test/projects in it, the package installed from its tarball, and no other node_modules
 * in the folders above. Returns why it cannot, or null.
 */
export async function installProjects(to: string): Promise<string | null> {
  const from = join(packageRoot, 'test/projects')
  const modules = join(from, 'node_modules')
  if (!existsSync(join(modules, '.package-lock.json')))
    return 'the bundlers and frameworks of test/projects are not installed: run `npm test` once with a network'
  const { path } = await packPackage()
  await cp(from, to, { recursive: true, filter: (path) => path !== modules })
  await linkTree(modules, join(to, 'node_modules'))
  await npm(['install', '--ignore-scripts', path], to)
  return null
}

/** Makes hard links of half a gigabyte, or copies where the folders are on two disks. */
async function linkTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true })
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) await linkTree(source, target)
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target)
    else await link(source, target).catch(() => copyFile(source, target, constants.COPYFILE_FICLONE))
  }
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
