/** Measures a command: how long it takes, and how much processor time its whole tree of processes does. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * @param {readonly string[]} command
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ wall: number, processor: number }>} in seconds
 * @throws {Error} with what the command said last, where it fails
 */
export async function measured(command, options = {}) {
  // The shell counts what its children and theirs have used; descriptor 3 keeps that apart from what they print.
  const child = spawn('sh', ['-c', '"$@" 3>&-; code=$?; times >&3; exit $code', 'sh', ...command], {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  let said = ''
  let times = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      said = `${said}${text}`.slice(-4000)
    })
  }
  child.stdio[3].on('data', (text) => {
    times += text
  })
  const begun = performance.now()
  const [code] = await once(child, 'close')
  const wall = (performance.now() - begun) / 1000
  if (code !== 0) throw new Error(`it ended with ${code}: ${reasonIn(said)}`)
  const [, ofChildren] = times.trim().split('\n')
  const processor = [...ofChildren.matchAll(/(\d+)m([\d.]+)s/g)]
    .map(([, minutes, seconds]) => 60 * Number(minutes) + Number(seconds))
    .reduce((sum, seconds) => sum + seconds, 0)
  return { wall, processor }
}

function reasonIn(said) {
  const lines = said.trim().split('\n')
  return lines.findLast((line) => /Error\b.*:/.test(line)) ?? lines.at(-1)
}
