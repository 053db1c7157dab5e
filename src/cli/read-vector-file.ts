/** Reads the vector that a person names by its file. */
import { readVector, VectorError } from '../formats/read-vector.js'
import { shownName } from '../platform/node/storage/named-place.js'
import type { Files } from '../work/files.js'
import { meantBeside } from '../work/meant-beside.js'
import { UsageError } from './cli-error.js'

/** A vector's file is small: more is another file. */
const MOST_BYTES = 2 ** 28

/** Throws `UsageError` that names the option. */
export async function readVectorFile(files: Files, name: string): Promise<Float32Array> {
  const shown = shownName(name)
  try {
    await using file = await files.open(name)
    if (file.size > MOST_BYTES) throw new VectorError('it is larger than any vector')
    const bytes = new Uint8Array(file.size)
    await file.read(bytes, 0)
    return readVector(bytes)
  } catch (error) {
    if (error instanceof VectorError)
      throw new UsageError(`--vector ${shown} is no vector: ${error.message}.`)
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT') throw new UsageError(`--vector ${shown} cannot be read: ${message}`)
    throw new UsageError(`--vector ${shown}: there is no such file.${await meantBeside(files, name)}`)
  }
}
