/** Puts a converted model into a bucket: it is made and read back on this machine, and sent when it is whole. */
import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, relative, sep } from 'node:path'
import { ConvertError } from '../../../convert/convert-error.js'
import { checkpointsAmong } from '../../../hub/name-of-file.js'
import { PlacedFiles } from '../files/placed-files.js'
import { openBucketOf } from '../storage/object-address.js'
import { below } from '../storage/object-path.js'
import type { ConvertedModel } from './convert-model.js'

/**
 * The file that a model is loaded by is sent last: until it is there, nobody takes the others for a model. Throws `ConvertError` `occupied` where something is there,
 * `StorageError`; what `convert` throws; the signal's reason.
 *
 * @param convert makes the model at a path of this machine
 */
export async function convertIntoBucket(
  output: string,
  signal: AbortSignal | undefined,
  convert: (path: string) => Promise<ConvertedModel>,
): Promise<ConvertedModel> {
  const files = new PlacedFiles(process.cwd())
  const address = files.resolve(output)
  if ((await files.look(address)) !== null) throw occupied(output)
  const folder = await mkdtemp(join(tmpdir(), 'plumage-convert-'))
  try {
    const made = await convert(join(folder, basename(address)))
    const isFile = made.files.length === 1 && made.files[0] === made.path
    const names = made.files.map((path) => relative(made.path, path).split(sep).join('/'))
    const opened = new Set(checkpointsAmong(names))
    const sent: string[] = []
    for (const name of names.toSorted((a, b) => Number(opened.has(a)) - Number(opened.has(b)))) {
      const to = isFile ? address : below(address, name)
      const { storage, key } = await openBucketOf(to)
      const content = () => createReadStream(join(made.path, name))
      const { written } = await storage.write(key, content, { ifAbsent: true, signal })
      if (!written) throw occupied(to)
      sent.push(to)
    }
    return { ...made, path: address, files: sent }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function occupied(output: string): ConvertError {
  return new ConvertError(
    'occupied',
    `${output}: there is something of that name already, and nothing is replaced. Choose another place, or remove it.`,
  )
}
