/** Starts moto's S3 server, which keeps objects in memory and shares no code with the other: what both take alike is S3 and not one server's. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { S3_KEYS } from './s3-server.js'
import { findProgram, freePort, ServerProcess } from './server-process.js'

/** Is where .ci/run brings moto to. */
const PACKAGES = join(import.meta.dirname, '../../.plumage/moto')
const PYTHON = findProgram('python3')

export const motoIsThere = PYTHON !== null && existsSync(join(PACKAGES, 'moto'))

export class MotoServer extends ServerProcess {
  readonly env: Readonly<Record<string, string>>

  private constructor(port: number) {
    const endpoint = `http://127.0.0.1:${port}`
    const start = `import sys; sys.path.insert(0, ${JSON.stringify(PACKAGES)}); from moto.server import main; main(["-H", "127.0.0.1", "-p", "${port}"])`
    const isReady = async () => (await fetch(endpoint).catch(() => null)) !== null
    super({ program: PYTHON ?? 'python3', args: ['-c', start], isReady }, async () => {})
    this.env = {
      ...S3_KEYS,
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: 'us-east-1',
      AWS_CONFIG_FILE: '/nonexistent',
      AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
      NO_PROXY: '127.0.0.1',
    }
  }

  static async start(): Promise<MotoServer> {
    const server = new MotoServer(await freePort())
    await server.start()
    return server
  }

  /** Makes a bucket; it believes whoever signs. */
  async makeBucket(name: string): Promise<void> {
    const authorization = `AWS4-HMAC-SHA256 Credential=${S3_KEYS.AWS_ACCESS_KEY_ID}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=none`
    const made = await fetch(`${this.env.AWS_ENDPOINT_URL}/${name}`, {
      method: 'PUT',
      headers: { authorization },
    })
    if (!made.ok) throw new Error(`moto made no bucket: ${made.status} ${await made.text()}`)
  }
}
