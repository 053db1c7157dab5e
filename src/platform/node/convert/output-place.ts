/** Decides where a converted model goes: into a folder of its own, or into one file where its library's files say all by themselves. */
import { lstat } from 'node:fs/promises'
import { basename, extname, resolve } from 'node:path'
import { ConvertError } from '../../../convert/convert-error.js'
import { FILE_FORMS, type FileKind, type WeightsForm } from '../../../convert/file-forms.js'
import { explainWriteError } from '../files/file-error.js'

export interface OutputPlace {
  /** Is the folder, or the file, that appears. */
  readonly path: string
  /** Tells which. */
  readonly isFolder: boolean
  readonly form: WeightsForm
  /** Names the file of weights. */
  readonly name: string
}

const FORM_OF_ENDING: ReadonlyMap<string, WeightsForm> = new Map([
  ['.safetensors', 'safetensors'],
  ['.pt', 'pt'],
  ['.pth', 'pt'],
  ['.bin', 'pt'],
])

/** Throws `ConvertError` `unsupported` where name, format and library do not go together, `occupied` where something is there; `FileError` where nothing can be. */
export async function outputPlace(
  output: string,
  kind: FileKind,
  form: WeightsForm | undefined,
): Promise<OutputPlace> {
  const path = resolve(output)
  await refuseOccupied(path, output)
  const { usual, names, standsAlone } = FILE_FORMS[kind]
  const named = FORM_OF_ENDING.get(extname(path).toLowerCase())
  const chosen = named ?? form ?? usual
  const name = names[chosen]
  if (name === undefined || (form !== undefined && names[form] === undefined)) {
    throw new ConvertError(
      'unsupported',
      `Matrices in bytes (int8, --int8) are kept in files of safetensors alone: end the output's name as such (.safetensors), or name a folder, and leave the format out.`,
    )
  }
  if (named === undefined) return { path, isFolder: true, form: chosen, name }
  if (!standsAlone) {
    throw new ConvertError(
      'unsupported',
      `${output} is the name of a file, and ${kind} keeps a config.json beside its weights. Name a folder, which is made.`,
    )
  }
  if (form !== undefined && form !== named) {
    throw new ConvertError(
      'unsupported',
      `${output} ends as files of the format ${named} do, and the format ${form} is asked for (format, --format). Leave one out, or let them agree.`,
    )
  }
  return { path, isFolder: false, form: named, name: basename(path) }
}

/** Throws `ConvertError` `occupied` where a file, a folder, a link or anything else is there; `FileError` where nothing can be. */
export async function refuseOccupied(path: string, output: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw explainWriteError(error, output)
  })
  if (found === null) return
  const what = found.isDirectory() ? 'a folder' : found.isFile() ? 'a file' : 'something'
  throw new ConvertError(
    'occupied',
    `${output}: there is ${what} of that name already, and nothing is replaced. Choose another place, or move it away.`,
  )
}
