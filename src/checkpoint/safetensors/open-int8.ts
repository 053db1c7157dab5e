/**
 * Opens a safetensors file of ours that keeps matrices in bytes, with a scale for each row. What it gives has the names and types of the layout that the
 * file was made in, so that nobody above knows of bytes but an engine that reads them itself.
 */
import { isRecord, type PlainRecord, type PlainValue } from '../../plain-value.js'
import { fromInt8Rows } from '../../tensor/int8.js'
import { elementCount, sameShape } from '../../tensor/shape.js'
import { toFloat32 } from '../../tensor/tensor.js'
import type { ByteSource, FoundFile, FoundTensor, Int8Facts } from '../checkpoint.js'
import { CheckpointError } from '../checkpoint-error.js'
import { partOfName } from '../network-places.js'
import { readRange } from '../read-range.js'
import { BYTES_SUFFIX, INT8_ENTRY, INT8_VERSION, SCALES_SUFFIX } from './int8-names.js'
import type { SafetensorsHeader, StoredTensor } from './parse-header.js'

/** Throws `CheckpointError` `malformed`, `missing-tensor`, `wrong-shape`; `unknown-format` for a file of a later version. */
export function openInt8(
  source: ByteSource,
  { tensors, metadata }: SafetensorsHeader,
  signal: AbortSignal | undefined,
): FoundFile {
  const { [INT8_ENTRY]: entry, ...others } = metadata
  const int8 = factsOf(entry, source.label)
  const found = new Map<string, () => FoundTensor>()
  for (const [stored, info] of tensors) {
    if (stored.endsWith(SCALES_SUFFIX)) {
      const name = stored.slice(0, -SCALES_SUFFIX.length)
      if (tensors.has(name + BYTES_SUFFIX)) continue
      throw new CheckpointError(
        'missing-tensor',
        `${source.label} has ${stored} and no ${name + BYTES_SUFFIX}, which it is the scale of. The file is damaged: convert its origin anew.`,
        { tensor: name },
      )
    }
    const name = stored.endsWith(BYTES_SUFFIX) ? stored.slice(0, -BYTES_SUFFIX.length) : stored
    if (found.has(partOfName(name))) throw twice(source.label, name)
    const scales = tensors.get(name + SCALES_SUFFIX)
    const tensor =
      name === stored ? plain(source, name, info, signal) : matrix(source, name, { info, scales, signal })
    found.set(partOfName(name), () => tensor)
  }
  const beside = () => ({ metadata: others, dropped: [] })
  return { label: source.label, format: 'safetensors', tensors: found, fromMmengine: false, beside, int8 }
}

function plain(
  source: ByteSource,
  name: string,
  { offset, ...info }: StoredTensor,
  signal: AbortSignal | undefined,
): FoundTensor {
  return {
    ...info,
    readBytes: () => readRange(source, offset, info.byteLength, name, signal),
    findBytes: async () => ({ source, offset }),
  }
}

interface StoredMatrix {
  readonly info: StoredTensor
  readonly scales: StoredTensor | undefined
  readonly signal: AbortSignal | undefined
}

function matrix(source: ByteSource, name: string, { info, scales, signal }: StoredMatrix): FoundTensor {
  const refuse = (code: 'malformed' | 'missing-tensor' | 'wrong-shape', problem: string): never => {
    throw new CheckpointError(
      code,
      `${source.label}: ${name + BYTES_SUFFIX} ${problem}. The file is damaged: convert its origin anew.`,
      { tensor: name },
    )
  }
  const { dtype, shape, offset, byteLength } = info
  if (dtype !== 'I8') return refuse('malformed', `is ${dtype}, where bytes (I8) are expected`)
  if (shape.length < 2 || elementCount(shape) === 0)
    return refuse('wrong-shape', `is [${shape.join(', ')}], where a matrix is expected`)
  if (scales === undefined)
    return refuse('missing-tensor', `has no scales: ${name + SCALES_SUFFIX} is not there`)
  const rows = shape.slice(0, -1)
  if (scales.dtype !== 'F32')
    return refuse('malformed', `has scales of ${scales.dtype}, where F32 is expected`)
  if (!sameShape(scales.shape, rows)) {
    return refuse(
      'wrong-shape',
      `is [${shape.join(', ')}] and has scales of [${scales.shape.join(', ')}], where [${rows.join(', ')}] is expected`,
    )
  }
  return {
    dtype: 'F32',
    shape,
    byteLength: 4 * elementCount(shape),
    async readBytes() {
      const factors = await readRange(source, scales.offset, scales.byteLength, name + SCALES_SUFFIX, signal)
      const own = toFloat32({ dtype: 'F32', shape: rows, bytes: factors })
      const wrong = own.findIndex((scale) => !(scale >= 0 && scale < Number.POSITIVE_INFINITY))
      if (wrong !== -1) refuse('malformed', `has the scale ${own[wrong]} in row ${wrong}`)
      const { buffer, byteOffset } = await readRange(source, offset, byteLength, name + BYTES_SUFFIX, signal)
      const bytes = new Int8Array(buffer as ArrayBuffer, byteOffset, byteLength)
      return new Uint8Array(fromInt8Rows({ bytes, scales: own }).buffer)
    },
    findBytes: async () => ({ source, offset, scales: scales.offset }),
  }
}

function twice(label: string, name: string): CheckpointError {
  return new CheckpointError(
    'malformed',
    `${label} has ${name} both as it is and in bytes, and nothing says which counts.`,
    { tensor: name },
  )
}

/** Throws `malformed` with the entry at fault, `unknown-format` for a version that is not known here. */
function factsOf(entry: PlainValue | undefined, label: string): Int8Facts {
  const refuse = (problem: string): never => {
    throw new CheckpointError(
      'malformed',
      `${label}: the metadata entry ${INT8_ENTRY} ${problem}. The file is damaged: convert its origin anew.`,
    )
  }
  if (!isRecord(entry)) return refuse('is no JSON object')
  const { version, origin, files, told, writer: _writer, ...others } = entry
  if (version !== INT8_VERSION) {
    throw new CheckpointError(
      'unknown-format',
      `${label} keeps matrices in bytes by version ${JSON.stringify(version) ?? 'none'}, and version ${INT8_VERSION} is read here. Convert its origin anew, or update this package.`,
    )
  }
  const [unknown] = Object.keys(others)
  if (unknown !== undefined)
    return refuse(`has ${JSON.stringify(unknown)}, which version ${INT8_VERSION} has not`)
  if (!isRecord(origin)) return refuse('does not name the origin')
  const { model, weights } = origin
  if (typeof model !== 'string') return refuse('does not name the origin’s model')
  if (typeof weights !== 'string' || !/^[0-9a-f]{64}$/.test(weights))
    return refuse('does not give the digest of the origin’s weights')
  if (!isRecord(files)) return refuse('does not hold the files of the origin')
  if (!isRecord(told)) return refuse('does not hold what was told of the origin')
  return { origin: { model, weights }, files: textsOf(files, refuse), told }
}

function textsOf(files: PlainRecord, refuse: (problem: string) => never): ReadonlyMap<string, string> {
  const texts = Object.entries(files).map(([name, text]) => {
    if (typeof text !== 'string') return refuse(`holds a file ${JSON.stringify(name)} that is no text`)
    return [name, text] as const
  })
  return new Map(texts)
}
