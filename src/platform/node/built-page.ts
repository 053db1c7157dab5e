/** Reads what a page does and how it looks that a command writes: both are built with the package, and are written into the page. */
import { readFile } from 'node:fs/promises'
import { packageFile } from './package-files.js'

/** Names a page that commands write. */
export type BuiltPageName = 'report' | 'map'

export interface BuiltPage {
  readonly script: string
  readonly style: string
}

/** Throws Error where a file of the package is missing. */
export async function readBuiltPage(page: BuiltPageName): Promise<BuiltPage> {
  const read = async (name: `${BuiltPageName}-script.js` | `${BuiltPageName}-style.css`) => {
    const text = await readFile(
      packageFile(`dist/bundle/node/${name}`, (message) => new Error(message)),
      'utf8',
    )
    // Browsers read text of scripts with these line ends, and hash what they have read.
    return text.replaceAll('\r\n', '\n')
  }
  const [script, style] = await Promise.all([read(`${page}-script.js`), read(`${page}-style.css`)])
  return { script, style }
}
