/** Reads the config files that lie beside a checkpoint, wherever it lies. */
import type { PlainValue } from '../checkpoint/checkpoint.js'
import { CheckpointError } from '../checkpoint/checkpoint-error.js'
import { decodeUtf8, parseJson } from '../checkpoint/parse-json.js'
import type { VitHints } from '../model/dialects/dialect.js'
import { given } from './choose-recipe.js'

const CONFIG = 'config.json'
const PREPROCESSOR = 'preprocessor_config.json'
export const CONFIG_FILES: readonly string[] = [CONFIG, PREPROCESSOR]

interface ConfigBytes {
  /** Names the file in errors; usually it is the path. */
  readonly label: string
  readonly bytes: Uint8Array
}

/** `read` gives a file by its name, or null where there is none. Throws `CheckpointError` `malformed`. */
export async function readConfigFiles(
  read: (name: string) => Promise<ConfigBytes | null>,
): Promise<Pick<VitHints, 'configFile' | 'preprocessorFile'>> {
  const parsed = async (name: string) => {
    const file = await read(name)
    return file === null ? undefined : parseConfig(file)
  }
  const [configFile, preprocessorFile] = await Promise.all([parsed(CONFIG), parsed(PREPROCESSOR)])
  return given({ configFile, preprocessorFile })
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
