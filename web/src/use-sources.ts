/** Brings photos in from files, from what was dropped or pasted, and from the examples; files of a model are told from photos. */
import { useState } from 'preact/hooks'
import { droppedFiles } from './dropped-files.js'
import { fetchExamples } from './examples.js'
import { messageOf } from './message-of.js'
import { splitFiles } from './own-model.js'
import type { NamedFile } from './use-photos.js'

export interface Sources {
  /** Says why something could not be brought in. */
  readonly trouble: string | null
  addFiles(files: Iterable<File> | null): void
  addDropped(data: DataTransfer | null): void
  addExamples(): Promise<void>
}

export function useSources(
  add: (files: readonly NamedFile[]) => void,
  onModel: (files: readonly File[]) => void,
): Sources {
  const [trouble, setTrouble] = useState<string | null>(null)
  const addFiles = (files: Iterable<File> | null) => {
    const { photos, model } = splitFiles(files ?? [])
    if (photos.length > 0) add(photos.map((file) => ({ name: file.name, file })))
    if (model.length > 0) onModel(model)
  }
  const addDropped = (data: DataTransfer | null) => {
    setTrouble(null)
    if (data === null) return
    droppedFiles(data).then(addFiles, (error) =>
      setTrouble(`What was dropped could not be read (${messageOf(error)}).`),
    )
  }
  const addExamples = async () => {
    setTrouble(null)
    try {
      add(await fetchExamples())
    } catch (error) {
      setTrouble(`The examples could not be fetched (${messageOf(error)}).`)
    }
  }
  return { trouble, addFiles, addDropped, addExamples }
}
