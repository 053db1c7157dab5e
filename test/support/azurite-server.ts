/** Starts Azurite, Microsoft's own emulator of Azure's storage, which keeps blobs in memory. */
import { createHmac } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, ServerProcess } from './server-process.js'

/** Is where .ci/run brings it to. */
const PROGRAM = join(import.meta.dirname, '../../.plumage/azurite/node_modules/azurite/dist/src/blob/main.js')

export const azuriteIsThere = existsSync(PROGRAM)

/** Are those that all of its kind have. */
const ACCOUNT = 'devstoreaccount1'
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='

export class AzuriteServer extends ServerProcess {
  readonly endpoint: string
  readonly env: Readonly<Record<string, string>>

  private constructor(port: number) {
    const args = [
      PROGRAM,
      '--blobPort',
      String(port),
      '--inMemoryPersistence',
      '--silent',
      '--disableTelemetry',
      '--skipApiVersionCheck',
    ]
    const endpoint = `http://127.0.0.1:${port}/${ACCOUNT}`
    const isReady = async () => (await fetch(endpoint).catch(() => null)) !== null
    super({ program: process.execPath, args, isReady }, async () => {})
    this.endpoint = endpoint
    const told = {
      DefaultEndpointsProtocol: 'http',
      AccountName: ACCOUNT,
      AccountKey: KEY,
      BlobEndpoint: endpoint,
    }
    this.env = {
      AZURE_STORAGE_CONNECTION_STRING: Object.entries(told)
        .map(([name, value]) => `${name}=${value}`)
        .join(';'),
      NO_PROXY: '127.0.0.1',
    }
  }

  static async start(): Promise<AzuriteServer> {
    const server = new AzuriteServer(await freePort())
    await server.start()
    return server
  }

  async makeContainer(name: string): Promise<void> {
    const url = new URL(`${this.endpoint}/${name}?restype=container&${this.signature()}`)
    const made = await fetch(url, { method: 'PUT' })
    if (!made.ok) throw new Error(`Azurite made no container: ${made.status} ${await made.text()}`)
  }

  /** Makes a shared access signature of the whole account, as Microsoft's reference has it (Create an account SAS). */
  signature({ permissions = 'rwdlac' }: { readonly permissions?: string } = {}): string {
    const ends = new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+/, '')
    const version = '2020-02-10'
    const text = [ACCOUNT, permissions, 'b', 'sco', '', ends, '', 'https,http', version, ''].join('\n')
    const sig = createHmac('sha256', Buffer.from(KEY, 'base64')).update(text).digest('base64')
    const query = { sv: version, ss: 'b', srt: 'sco', sp: permissions, se: ends, spr: 'https,http', sig }
    return String(new URLSearchParams(query))
  }
}
