/** Pages show or remove the models that this origin holds in this way. */
import { modelFolderOrNull, NOTE_ENDING, parseNoteOrNull } from './model-folder.js'

/** Is a downloaded model in this origin's private file system. */
export interface StoredModel {
  /** Is the address that it came from. */
  readonly url: string
  /** Counts the bytes that are here. */
  readonly bytes: number
  /** It is false where a download was interrupted: loading the model goes on from there. */
  readonly whole: boolean
}

/**
 * Lists what this origin holds of downloaded models. It is empty where the browser gives no storage. Throws what the browser's storage throws, a
 * DOMException.
 */
export async function listStoredModels(): Promise<readonly StoredModel[]> {
  const folder = await modelFolderOrNull(() => {})
  const found: StoredModel[] = []
  for await (const [name, handle] of folder?.entries() ?? []) {
    if (!name.endsWith(NOTE_ENDING) || handle.kind !== 'file') continue
    const note = parseNoteOrNull(await (await (handle as FileSystemFileHandle).getFile()).text())
    const file = await folder?.getFileHandle(name.slice(0, -NOTE_ENDING.length)).catch(() => null)
    const bytes = (await file?.getFile())?.size
    if (note !== null && bytes !== undefined)
      found.push({ url: note.url, bytes, whole: note.sha256 !== null })
  }
  return found
}

/**
 * Removes the downloaded models of this origin; those in use stay usable until their encoder is disposed of,
 * if the browser allows it.
 *
 * @returns what is still there: models that are being downloaded at this moment, in whichever tab
 * @throws what the browser's storage throws, a DOMException
 */
export async function removeStoredModels(): Promise<readonly StoredModel[]> {
  const folder = await modelFolderOrNull(() => {})
  const names: string[] = []
  for await (const name of folder?.keys() ?? []) names.push(name)
  // The bytes go first: a note alone speaks of nothing.
  const isNote = (name: string) => Number(name.endsWith(NOTE_ENDING))
  const held = new Set<string>()
  for (const name of names.sort((a, b) => isNote(a) - isNote(b))) {
    if (held.has(name)) continue
    await folder?.removeEntry(name).catch((error) => {
      if (!(error instanceof DOMException)) throw error
      // Another tab was faster.
      if (error.name === 'NotFoundError') return
      if (error.name !== 'NoModificationAllowedError' && error.name !== 'InvalidStateError') throw error
      held.add(name).add(`${name}${NOTE_ENDING}`)
    })
  }
  return await listStoredModels()
}
