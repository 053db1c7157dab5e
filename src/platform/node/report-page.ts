/** Reads what the page of a report does and how it looks: both are built with the package, and are written into the page. */
import { readFile } from 'node:fs/promises'
import { packageFile } from './package-files.js'

export interface ReportPage {
  readonly script: string
  readonly style: string
}

/** Throws Error where a file of the package is missing. */
export async function readReportPage(): Promise<ReportPage> {
  const read = (name: 'report-script.js' | 'report-style.css') =>
    readFile(
      packageFile(`dist/bundle/node/${name}`, (message) => new Error(message)),
      'utf8',
    )
  const [script, style] = await Promise.all([read('report-script.js'), read('report-style.css')])
  return { script, style }
}
