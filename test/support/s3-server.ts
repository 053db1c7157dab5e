/** Starts a real S3 server on this machine: versitygw, which keeps objects as files and so survives being killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Is the path of versitygw, or undefined: `PLUMAGE_VERSITYGW`, `.plumage/bin` (where .ci/run builds it), `PATH`. Tests that need it are skipped without it. */
export const versitygw: string | undefined = findVersitygw()

export const S3_KEYS = {
  AWS_ACCESS_KEY_ID: 'plumage-test',
  AWS_SECRET_ACCESS_KEY: 'a-secret-of-tests',
} as const

export interface S3Server extends AsyncDisposable {
  /** Reads like `http://127.0.0.1:port`. */
  readonly endpoint: string
  /** Holds what `openStorage` and LanceDB find a server and its keys by. */
  readonly env: Readonly<Record<string, string>>
  /** Makes a bucket. */
  makeBucket(name: string): Promise<void>
  /** Ends the server as kill -9 does; what it has answered by then is on the disk. */
  kill(): Promise<void>
  /** Starts it again at the same address, on the same files. */
  restart(): Promise<void>
}

/** Throws where there is no versitygw: ask `versitygw` first. @param folder keeps its files; else it is a new one that goes with the server */
export async function startS3Server(folder?: string): Promise<S3Server> {
  if (versitygw === undefined) throw new Error('There is no versitygw.')
  const runs = process.env.PLUMAGE_TEST_FOLDER ?? '/tmp'
  await mkdir(runs, { recursive: true })
  const place = folder ?? (await mkdtemp(join(runs, 's3-')))
  const data = join(place, 'data')
  await mkdir(data, { recursive: true })
  const port = await freePort()
  let child = await start(versitygw, port, data)
  return {
    endpoint: `http://127.0.0.1:${port}`,
    env: {
      ...S3_KEYS,
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_REGION: 'us-east-1',
      AWS_CONFIG_FILE: '/nonexistent',
      AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
      NO_PROXY: '127.0.0.1',
    },
    // Its buckets are folders.
    makeBucket: async (name) => void (await mkdir(join(data, name))),
    kill: () => endOf(child, 'SIGKILL'),
    async restart() {
      child = await start(versitygw as string, port, data)
    },
    async [Symbol.asyncDispose]() {
      await endOf(child, 'SIGTERM')
      if (folder === undefined) await rm(place, { recursive: true, force: true })
    },
  }
}

function findVersitygw(): string | undefined {
  const named = process.env.PLUMAGE_VERSITYGW
  const folders = [
    join(import.meta.dirname, '../../.plumage/bin'),
    ...(process.env.PATH ?? '').split(delimiter),
  ]
  return [
    ...(named === undefined ? [] : [named]),
    ...folders.map((folder) => join(folder, 'versitygw')),
  ].find((path) => existsSync(path))
}

/** Resolves once it answers. What it keeps of objects lies in extended attributes: in files of their own (`--sidecar`) it lost updates of twenty that raised a number. */
async function start(program: string, port: number, data: string): Promise<ChildProcess> {
  const address = `127.0.0.1:${port}`
  const keys = ['--access', S3_KEYS.AWS_ACCESS_KEY_ID, '--secret', S3_KEYS.AWS_SECRET_ACCESS_KEY]
  const child = spawn(program, ['--port', address, ...keys, '--keep-alive', '--quiet', 'posix', data], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr?.on('data', (text) => (said += String(text)))
  for (;;) {
    if (child.exitCode !== null) throw new Error(`versitygw ended with ${child.exitCode}: ${said}`)
    const answer = await fetch(`http://${address}/`).catch(() => null)
    if (answer !== null) return child
    await sleep(20)
  }
}

function endOf(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once('exit', () => resolve())
    child.kill(signal)
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
