/** Tells the files of a model from photos. */

/** Checkpoints, their indexes and the config files beside them end so. */
const MODEL_FILE = /\.(safetensors|pt|pth|bin|json)$/i

export function splitFiles(files: Iterable<File>): { readonly photos: File[]; readonly model: File[] } {
  const all = [...files]
  return {
    photos: all.filter(({ name }) => !MODEL_FILE.test(name)),
    model: all.filter(({ name }) => MODEL_FILE.test(name)),
  }
}
