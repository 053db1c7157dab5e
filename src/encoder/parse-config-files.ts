/** Parses the config files that lie beside a checkpoint, wherever it lies. */
import { CheckpointError } from '../checkpoint/checkpoint-error.js'
import { decodeUtf8, parseJson } from '../checkpoint/parse-json.js'
import type { VitHints } from '../model/dialects/dialect.js'
import type { PlainValue } from '../plain-value.js'
import { given } from './choose-recipe.js'

const CONFIG = 'config.json'
const PREPROCESSOR = 'preprocessor_config.json'
const PROCESSOR = 'processor_config.json'
const OPEN_CLIP = 'open_clip_config.json'
/** Names the files that `parseConfigFiles` wants, in its order. */
export const CONFIG_FILES: readonly string[] = [CONFIG, PREPROCESSOR, PROCESSOR, OPEN_CLIP]

export interface ConfigBytes {
  /** Names the file in errors; usually it is the path. */
  readonly label: string
  readonly bytes: Uint8Array
}

/** Takes the files of CONFIG_FILES in their order, null for one that is not there. Throws `CheckpointError` `malformed`. */
export function parseConfigFiles(
  files: readonly (ConfigBytes | null)[],
): Pick<VitHints, 'configFile' | 'preprocessorFile' | 'processorFile' | 'openClipFile'> {
  const [configFile, preprocessorFile, processorFile, openClipFile] = files.map((file) =>
    file === null ? undefined : parseConfig(file),
  )
  return given({ configFile, preprocessorFile, processorFile, openClipFile })
}

function parseConfig({ label, bytes }: ConfigBytes): PlainValue {
  try {
    return parseJson(decodeUtf8(bytes, 'it'), 'it')
  } catch (cause) {
    if (!(cause instanceof CheckpointError)) throw cause
    throw new CheckpointError(
      cause.code,
      `${label}, which lies beside the weights, must be mended or taken away: ${cause.message}`,
      { cause },
    )
  }
}
