/** What cases need that read files of a folder in Node's own ways. */
import type { CaseContext } from '../../../verify/case.js'

export interface FolderContext extends Omit<CaseContext, 'open'> {
  /** Folder of the index. */
  readonly root: string
}
