/** Starts a program that serves HTTP, as Next.js makes it: `server.js`, which is told its port. */
import { type ChildProcess, spawn } from 'node:child_process'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Server extends AsyncDisposable {
  /** Ends in a slash. */
  readonly address: string
  /** Gives what it has printed by now. */
  said(): string
}

/** Resolves once it says that it is ready. Rejects where it ends before. */
export async function startServer(folder: string, env: NodeJS.ProcessEnv): Promise<Server> {
  const port = await freePort()
  const own = { ...env, PORT: String(port), HOSTNAME: '127.0.0.1' }
  const child = spawn(process.execPath, ['server.js'], { cwd: folder, env: own })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += String(data)))
  while (!said.includes('Ready')) {
    if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}: ${said}`)
    await sleep(20)
  }
  return {
    address: `http://127.0.0.1:${port}/`,
    said: () => said,
    [Symbol.asyncDispose]: () => endOf(child),
  }
}

function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve()
    child.once('exit', () => resolve())
    child.kill()
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
