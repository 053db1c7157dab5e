/** Finds what was dropped or pasted: files, and all files of folders. */

/** Hidden files, which systems leave in folders, are left out. Must be called while the event is handled: later, nothing is given any more. */
export async function droppedFiles(data: DataTransfer): Promise<File[]> {
  const entries = [...data.items].flatMap((item) => {
    const entry = item.kind === 'file' ? item.webkitGetAsEntry() : null
    const file = entry === null ? item.getAsFile() : null
    return entry ?? file ?? []
  })
  const found = await Promise.all(entries.map((entry) => (entry instanceof File ? [entry] : filesOf(entry))))
  return found.flat().filter(({ name }) => !name.startsWith('.'))
}

async function filesOf(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    return [
      await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)),
    ]
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const files: File[] = []
  // A reader gives a hundred at a time.
  while (true) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    )
    if (some.length === 0) return files
    some.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }))
    for (const inner of some) files.push(...(await filesOf(inner)))
  }
}
