/** Starts Redis (Debian's redis-server) on a port of its own, with everything handed to the system for its log (AOF) before it answers: a kill of the process loses nothing. */
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram, freePort, ServerProcess } from './server-process.js'

const PROGRAM = findProgram('redis-server', '/usr/bin')

/** Is why there can be none, for tests that are then skipped. */
export const redisIsMissing =
  PROGRAM === null ? 'There is no redis-server (apt-get install redis-server).' : null

export class RedisServer extends ServerProcess {
  readonly port: number
  readonly address: string

  private constructor(port: number, folder: string) {
    const args = [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
      ...['--unixsocket', join(folder, 'redis.sock'), '--save', ''],
      ...['--appendonly', 'yes', '--appendfsync', 'everysec'],
    ]
    super({ program: PROGRAM ?? 'redis-server', args, isReady: () => answers(port) }, () =>
      rm(folder, { recursive: true, force: true }),
    )
    this.port = port
    this.address = `redis://127.0.0.1:${port}`
  }

  static async start(): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), await mkdtemp(join(tmpdir(), 'plumage-redis-')))
    await server.start()
    return server
  }

  /** Sends one command in words, and gives the answer as it comes. */
  command(...words: readonly string[]): Promise<string> {
    return sayTo(this.port, words)
  }
}

async function answers(port: number): Promise<boolean> {
  return (await sayTo(port, ['PING']).catch(() => '')).startsWith('+PONG')
}

/** Answers of many bytes are complete once their stated length is there. */
function sayTo(port: number, words: readonly string[]): Promise<string> {
  const request = `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request))
    let answer = ''
    socket.setTimeout(5000, () => socket.destroy(new Error('Redis does not answer.')))
    socket.on('data', (data) => {
      answer += data.toString('latin1')
      const length = /^\$(\d+)\r\n/.exec(answer)
      const needed = length === null ? 0 : length[0].length + Number(length[1]) + 2
      if (!answer.endsWith('\r\n') || answer.length < needed) return
      socket.destroy()
      resolve(answer)
    })
    socket.on('error', reject)
  })
}
