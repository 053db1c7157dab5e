/** Starts fake-gcs-server, which keeps objects in memory as Google's storage does: with generations, and conditions on them. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, freePort, ServerProcess } from './server-process.js'

/** Is where .ci/run builds it to. */
const BUILT = join(import.meta.dirname, '../../.plumage/bin/fake-gcs-server')
const PROGRAM = existsSync(BUILT) ? BUILT : findProgram('fake-gcs-server')

export const gcsIsThere = PROGRAM !== null

export class GcsServer extends ServerProcess {
  readonly endpoint: string
  readonly env: Readonly<Record<string, string>>

  private constructor(port: number) {
    const endpoint = `http://127.0.0.1:${port}`
    const place = ['-scheme', 'http', '-host', '127.0.0.1', '-port', String(port), '-backend', 'memory']
    const args = [
      ...place,
      '-public-host',
      `127.0.0.1:${port}`,
      '-external-url',
      endpoint,
      '-log-level',
      'error',
    ]
    const isReady = async () => (await fetch(`${endpoint}/storage/v1/b`).catch(() => null)) !== null
    super({ program: PROGRAM ?? 'fake-gcs-server', args, isReady }, async () => {})
    this.endpoint = endpoint
    this.env = { STORAGE_EMULATOR_HOST: endpoint, NO_PROXY: '127.0.0.1' }
  }

  static async start(): Promise<GcsServer> {
    const server = new GcsServer(await freePort())
    await server.start()
    return server
  }

  async makeBucket(name: string): Promise<void> {
    const made = await fetch(`${this.endpoint}/storage/v1/b?project=test`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
    })
    if (!made.ok) throw new Error(`fake-gcs-server made no bucket: ${made.status} ${await made.text()}`)
  }
}
