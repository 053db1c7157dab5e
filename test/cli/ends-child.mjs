/**
 * Runs commands one after the other, each by the real main of the command line, and lets the process end by itself: whatever one of them leaves
 * behind keeps it alive. A line of JSON is added to a file for each.
 *
 *     node test/cli/ends-child.mjs <file> '[["info", "mini"], ...]'
 */
import { appendFileSync } from 'node:fs'

const [file, commands] = process.argv.slice(2)
const [node] = process.argv
const main = new URL('../../dist/cli/main.js', import.meta.url)
process.setMaxListeners(0)
process.stdout.setMaxListeners(0)

for (const [index, args] of JSON.parse(commands).entries()) {
  process.exitCode = undefined
  process.argv = [node, main.pathname, ...args]
  // Another address makes it run again; what it imports stays, as it would within one command.
  await import(`${main.href}?${index}`)
  const line = { command: args.join(' '), code: process.exitCode, left: process.getActiveResourcesInfo() }
  appendFileSync(file, `${JSON.stringify(line)}\n`)
}
process.exitCode = 0
