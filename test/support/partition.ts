/**
 * Puts a process behind a network that can be cut: packets are then dropped both ways and nobody is told, as where a switch dies. On Linux, where the kernel lets, it is a network
 * namespace of its own with one cable to this machine, and only what is asked for can be reached through it.
 */
import { execFile } from 'node:child_process'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Partition extends AsyncDisposable {
  /** Begins the command of a process that is to be behind it. */
  readonly command: readonly string[]
  /** Is this machine's address, as seen from there. */
  readonly host: string
  /** Gives the port by which a port of this machine is reached from there. */
  reach(port: number): Promise<number>
  cut(): Promise<void>
  heal(): Promise<void>
}

/** Gives a text that says why there can be none. */
export async function openPartition(): Promise<Partition | string> {
  // Names of links have fifteen letters at most.
  const id = `${process.pid.toString(36)}${(made++).toString(36)}`
  const [space, near, far] = [`plumage-${id}`, `plh-${id}`, `plw-${id}`]
  // Of the addresses that RFC 2544 keeps for tests of networks, those of which no route is known.
  const net = `198.18.${process.pid % 256}.${(made * 4) % 256}`
  const address = (at: number) => net.replace(/\d+$/, (last) => String(Number(last) + at))
  const ip = (...words: readonly string[]) => run('ip', words)
  const inside = (...words: readonly string[]) => ip('-n', space, ...words)
  try {
    await ip('netns', 'add', space)
  } catch (error) {
    return `This kernel lets nobody here make network namespaces (${(error as Error).message.trim().split('\n').at(-1)}).`
  }
  try {
    await ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', space)
    await ip('address', 'add', `${address(1)}/30`, 'dev', near)
    await ip('link', 'set', near, 'up')
    await inside('address', 'add', `${address(2)}/30`, 'dev', far)
    await inside('link', 'set', far, 'up')
    await inside('link', 'set', 'lo', 'up')
  } catch (error) {
    await ip('netns', 'delete', space)
    return `This kernel lets nobody here lay cables between network namespaces (${(error as Error).message.trim().split('\n').at(-1)}).`
  }
  const relays: Relay[] = []
  return {
    command: ['ip', 'netns', 'exec', space],
    host: address(1),
    async reach(port) {
      const relay = await startRelay(address(1), port)
      relays.push(relay)
      return relay.port
    },
    // The cable is pulled at this end: what is sent from either goes nowhere.
    cut: async () => void (await ip('link', 'set', near, 'down')),
    heal: async () => void (await ip('link', 'set', near, 'up')),
    async [Symbol.asyncDispose]() {
      for (const relay of relays) await relay.end()
      await ip('netns', 'delete', space)
    },
  }
}

let made = 0

interface Relay {
  readonly port: number
  end(): Promise<void>
}

/** Servers of tests listen on 127.0.0.1 alone, which each namespace has for itself. */
async function startRelay(host: string, port: number): Promise<Relay> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((from) => {
    const to = connect(port, '127.0.0.1')
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    async end() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
