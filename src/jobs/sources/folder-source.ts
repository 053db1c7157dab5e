/** Finds the images of a folder and below: the file's place below the folder names a row, so that a folder that was moved has the same rows. */
import { FolderWalk } from '../../work/folder-walk.js'
import type { SourceRow } from '../row.js'
import type { RowBatches, SourceReading } from './source.js'
import { tellTrouble } from './tell-trouble.js'

const BATCH_ROWS = 1024

export async function* folderRows(folder: string, reading: SourceReading): RowBatches {
  const { world, leftOut } = reading
  const { files, decodes } = world
  const walk = new FolderWalk({ files, decodes, leftOut })
  let rows: SourceRow[] = []
  for await (const found of walk.below(folder)) {
    if (typeof found !== 'string') {
      tellTrouble(reading, found.path, found.reason)
      continue
    }
    rows.push({
      id: idOf(found.slice(folder.length), files.separator),
      name: found,
      place: { address: files.resolve(found) },
    })
    if (rows.length < BATCH_ROWS) continue
    yield rows
    rows = []
  }
  yield rows
}

/** The walk puts names behind the folder as it was given. */
function idOf(path: string, separator: string): string {
  const names = path.split(separator)
  return (names[0] === '' ? names.slice(1) : names).join('/')
}
