/** Starts PostgreSQL (Debian's) on a port, a unix socket and a data folder of its own. It refuses to be root, and so runs as the user that its package made. */
import { execFile, execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findProgram, freePort, ServerProcess } from './server-process.js'

const run = promisify(execFile)
const FOLDERS = listVersions('/usr/lib/postgresql').map((version) => `/usr/lib/postgresql/${version}/bin`)
const [INITDB, POSTGRES, IS_READY] = ['initdb', 'postgres', 'pg_isready'].map((name) =>
  findProgram(name, ...FOLDERS),
)

/** Is why there can be none, for tests that are then skipped. */
export const postgresIsMissing = findObstacle()

export class PostgresServer extends ServerProcess {
  readonly port: number
  readonly folder: string
  readonly address: string

  private constructor(port: number, folder: string, user: User | undefined) {
    const args = ['-D', join(folder, 'data'), '-p', String(port), '-k', folder]
    const settings = ['listen_addresses=127.0.0.1', 'fsync=off', 'max_connections=60']
    super(
      {
        program: POSTGRES ?? 'postgres',
        args: [...args, ...settings.flatMap((setting) => ['-c', setting])],
        user,
        isReady: () =>
          run(IS_READY ?? 'pg_isready', ['-h', '127.0.0.1', '-p', String(port)]).then(
            () => true,
            () => false,
          ),
      },
      () => rm(folder, { recursive: true, force: true }),
    )
    this.port = port
    this.folder = folder
    this.address = `postgres://tester@127.0.0.1:${port}/postgres`
  }

  static async start(): Promise<PostgresServer> {
    const user = serverUser()
    const folder = await mkdtemp(join(tmpdir(), 'plumage-pg-'))
    if (user !== undefined) await chown(folder, user.uid, user.gid)
    const args = ['-D', join(folder, 'data'), '-U', 'tester', '-A', 'trust', '-E', 'UTF8', '--no-sync']
    await run(INITDB ?? 'initdb', [...args, '--locale=C'], { cwd: '/', ...user })
    const server = new PostgresServer(await freePort(), folder, user)
    await server.start()
    return server
  }
}

interface User {
  readonly uid: number
  readonly gid: number
}

function findObstacle(): string | null {
  if (!INITDB || !POSTGRES || !IS_READY) return 'There is no PostgreSQL (apt-get install postgresql).'
  // The server's user, who is not root, makes its folder by commands of a shell that write there.
  const everyoneWrites = (statSync('/dev/null').mode & 0o002) !== 0
  return everyoneWrites
    ? null
    : 'PostgreSQL cannot be set up: only root may write to /dev/null (chmod 666 /dev/null).'
}

/** Is undefined where this process may be the server itself. */
function serverUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined
  const ask = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: ask('-u'), gid: ask('-g') }
}

function listVersions(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort((a, b) => Number(b) - Number(a))
  } catch {
    return []
  }
}
