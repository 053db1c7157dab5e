/** Finds the checkpoint in a folder of a model, as Hugging Face, timm and people lay it out. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { checkpointsAmong } from '../../hub/name-of-file.js'
import { USUAL_NAMES } from '../../hub/parse-model-name.js'

/** Gives null where the folder holds no checkpoint. Throws `CheckpointError` `contradiction` where it holds several, and none has a usual name. */
export async function checkpointOfFolderOrNull(folder: string): Promise<string | null> {
  const [first, ...others] = checkpointsAmong((await readdir(folder)).sort())
  if (first === undefined || others.length === 0) return first === undefined ? null : join(folder, first)
  throw new CheckpointError(
    'contradiction',
    `${folder} holds ${1 + others.length} checkpoints, and none of them is called ${USUAL_NAMES[0]}. Name one: ` +
      `${[first, ...others].map((name) => join(folder, name)).join(', ')}.`,
  )
}
