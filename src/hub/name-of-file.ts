/** Tells a file that holds a checkpoint by its ending; an index of several ends otherwise. */
export function isCheckpointFile(fileName: string): boolean {
  return /\.(safetensors|pt|pth|bin)$/i.test(fileName)
}

/** Names a model after its file: without the ending, and without what tells the index of a sharded checkpoint. */
export function nameOfFile(fileName: string): string {
  return fileName.replace(/(\.safetensors)?\.index\.json$|\.(safetensors|pt|pth|bin)$/i, '')
}
