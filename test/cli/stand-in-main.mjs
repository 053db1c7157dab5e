/**
 * Runs the command line in a process of its own, built code all through, with the stand-in for an encoder: for tests that kill it.
 * DELAY_MS and LOG set the stand-in's options.
 */
import { runCommandLine } from '../../dist/cli/run.js'
import { NodeFiles } from '../../dist/platform/node/files/node-files.js'
import { standInEncoder } from './stand-in-encoder.mjs'

const interrupt = new AbortController()
process.on('SIGINT', () => interrupt.abort(new Error('SIGINT')))
const { DELAY_MS = '0', LOG } = process.env

process.exitCode = await runCommandLine(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  isTTY: process.stderr.isTTY === true,
  color: false,
  cwd: process.cwd(),
  files: new NodeFiles(process.cwd()),
  version: '0.0.0',
  signal: interrupt.signal,
  loadEncoder: async () => standInEncoder({ delayMs: Number(DELAY_MS), log: LOG }),
  describeModel: () => Promise.reject(new Error('not in this test')),
  verifyGoldens: () => [],
})
