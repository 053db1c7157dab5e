/** Puts the tensors of a head, which is a file of its own, beside those of the network that it stands on. */
import { type FileExtent, HEAD_PREFIX, type OpenCheckpoint } from './checkpoint.js'
import { CheckpointError } from './checkpoint-error.js'

/** Takes both over. Throws what `openHead` throws, and `contradiction` for a network that has such names itself, with all closed that was open. */
export async function withHead(
  network: OpenCheckpoint,
  openHead: () => Promise<OpenCheckpoint>,
): Promise<OpenCheckpoint> {
  const head = await openHead().catch(async (error) => {
    await network[Symbol.asyncDispose]()
    throw error
  })
  const close = async () => {
    await head[Symbol.asyncDispose]()
    await network[Symbol.asyncDispose]()
  }
  const own = [...network.tensors.keys()].find((name) => name.startsWith(HEAD_PREFIX))
  if (own !== undefined) {
    await close()
    throw new CheckpointError(
      'contradiction',
      `${network.label} has a head itself (${own}), so that none can be put on it: leave out the option head (--head).`,
      { tensor: own },
    )
  }
  /** Finds which of the two holds a tensor, and its name there. */
  const find = (name: string) =>
    name.startsWith(HEAD_PREFIX)
      ? ([head, name.slice(HEAD_PREFIX.length)] as const)
      : ([network, name] as const)
  const headTensors = [...head.tensors].map(([name, info]) => [`${HEAD_PREFIX}${name}`, info] as const)
  return {
    ...network,
    head: head.label,
    tensors: new Map([...network.tensors, ...headTensors]),
    metadata: { ...head.metadata, ...network.metadata },
    dropped: [...new Set([...network.dropped, ...head.dropped])],
    read(name, shape) {
      const [file, inFile] = find(name)
      return file.read(inFile, shape)
    },
    async readRows(name, shape, rows) {
      const [file, inFile] = find(name)
      if (file.readRows === undefined) throw new Error(`Single rows of ${file.label} cannot be read.`)
      return await file.readRows(inFile, shape, rows)
    },
    async extentOf(name, shape): Promise<FileExtent | null> {
      const [file, inFile] = find(name)
      return (await file.extentOf?.(inFile, shape)) ?? null
    },
    [Symbol.asyncDispose]: close,
  }
}
