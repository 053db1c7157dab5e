/** Tells by their names which of several files is the checkpoint, and what a model is called after its file. */
import { USUAL_NAMES } from './parse-model-name.js'

const CHECKPOINT = /\.(safetensors|pt|pth|bin)$/i
/** Libraries name the index of several files after the one file that it stands for. */
const INDEX = /\.(safetensors|pt|pth|bin)\.index\.json$/i

/** Gives the names that could be meant: a usual one before all others, and an index before the files that it may be the index of. */
export function checkpointsAmong(names: readonly string[]): readonly string[] {
  const usual = USUAL_NAMES.find((name) => names.includes(name))
  if (usual !== undefined) return [usual]
  const indexes = names.filter((name) => INDEX.test(name))
  return indexes.length > 0 ? indexes : names.filter((name) => CHECKPOINT.test(name))
}

/** Names a model after its file: without the ending, and without what tells the index of a checkpoint in several files. */
export function nameOfFile(fileName: string): string {
  return fileName.replace(INDEX, '').replace(CHECKPOINT, '')
}
