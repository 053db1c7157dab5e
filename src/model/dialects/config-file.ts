/** Tells whose config.json lies beside the weights, by its content: a file of another library says nothing that can be followed. */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { isRecord, type PlainRecord } from '../../plain-value.js'
import type { VitHints } from './dialect.js'

type ConfigLibrary = 'transformers' | 'timm'

/** Gives null where there is none. Throws `malformed` for what is no object, `contradiction` for the file of a library whose tensors these are not. */
export function configFileOf(
  checkpoint: Checkpoint,
  hints: VitHints,
  expected: ConfigLibrary,
): PlainRecord | null {
  const file = anyConfigFile(checkpoint, hints)
  if (file === null) return null
  if (libraryOf(file) === expected) return ofKnownCode(file, checkpoint)
  throw new CheckpointError(
    'contradiction',
    `${checkpoint.label}: the config.json beside it is a file of ${libraryOf(file)}, and its tensors have other names than that library gives. ` +
      'Keep weights of different networks in folders of their own, each with its config.json.',
  )
}

/** Without a model_type there is no class of transformers to follow, and the code that a repository brings is not run. */
function ofKnownCode(file: PlainRecord, { label }: Checkpoint): PlainRecord {
  if (isRecord(file.auto_map) && typeof file.model_type !== 'string')
    throw new CheckpointError(
      'unsupported-field',
      `${label}: the config.json beside it has auto_map, which names code of its repository's own, and no model_type, by which transformers would have a class for it. ` +
        'Such code is not run: use weights in the layout of a library that is read (timm, transformers).',
    )
  return file
}

function anyConfigFile({ label }: Checkpoint, { configFile }: VitHints): PlainRecord | null {
  if (configFile === undefined) return null
  if (isRecord(configFile)) return configFile
  throw new CheckpointError('malformed', `${label}: the config.json beside it is no object of settings.`)
}

/** timm's files name an architecture, also where transformers has wrapped the network; all others are taken for those of transformers. */
function libraryOf(file: PlainRecord): ConfigLibrary {
  return typeof file.architecture === 'string' || isRecord(file.pretrained_cfg) ? 'timm' : 'transformers'
}
