/** Runs a command and keeps what it says, for the case that it fails. */
import { spawn } from 'node:child_process'

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<{ code: number | string, output: string }>} `code` is the exit code, the name of the signal that ended it, or
 *   why it did not start; `output` is the end of both streams
 */
export function runQuietly(command, args, { cwd, env = process.env }) {
  return new Promise((resolve) => {
    let output = ''
    const keep = (chunk) => {
      output = (output + chunk).slice(-200_000)
    }
    const shell = command.endsWith('.cmd') // Windows starts these through its shell only.
    const child = spawn(command, args, { cwd, env, shell, stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', (error) => resolve({ code: error.message, output }))
    child.on('close', (code, signal) => resolve({ code: code ?? signal ?? 'no exit code', output }))
  })
}
