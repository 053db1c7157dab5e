/** Moves a folder's files to another one after the other, for tests that kill it meanwhile. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const dist = (name) => import(new URL(`../../dist/platform/node/collection/${name}.js`, import.meta.url).href)
const [, , folder, from, to] = process.argv
const { FileLog } = await dist('collection-files')
const { endMoves, finishMoves, isUnfinished, latestRun, moveFiles } = await dist('move-files')
const log = new FileLog(folder, 'moves')
const entries = await log.read()
const last = latestRun(entries)
if (last !== null && isUnfinished(entries, last)) await finishMoves(log, last)
const run = `run ${entries.length}`
for (const name of readdirSync(from).filter((name) => name.endsWith('.jpg'))) {
  const names = [name, `${name}.xmp`]
  const moves = names.map((one) => ({ from: join(from, one), to: join(to, one) }))
  await moveFiles(log, run, moves, { about: { id: name } })
}
await endMoves(log, run)
