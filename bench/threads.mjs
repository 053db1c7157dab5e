/**
 * Measures what it costs to ask for another number of threads than the machine has cores, or to have less than a core: a network's passes in a process for
 * each number, which take turns. Prints a table in Markdown. A quota is set by a control group of its own (cgroup, version 1 or 2), which takes root.
 *
 *     node bench/threads.mjs [--threads 1,2,4,64] [--quotas 0.5] [--precision float32] [--size 224] [--rounds 3]
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { withLock } from './lock.mjs'

const { values: options } = parseArgs({
  options: {
    threads: { type: 'string', default: '1,2,4,64' },
    quotas: { type: 'string', default: '0.5' },
    precision: { type: 'string', default: 'float32' },
    size: { type: 'string', default: '224' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    /** Names a file that is locked (by flock) while something is measured, for machines on which others measure too. */
    lock: { type: 'string' },
  },
})
const CLI = fileURLToPath(new URL('../dist/bundle/node/cli.js', import.meta.url))
const PERIOD = 100_000

const asked = [...options.threads.split(','), 'default']
const quotas = [null, ...options.quotas.split(',').filter(Boolean).map(Number)]
console.log(`S/14 at ${options.size}, ${options.precision}, ${availableParallelism()} cores\n`)
console.log('| quota, cores | threads asked for | s a pass, least | beside one thread |')
console.log('| --- | --- | --- | --- |')
for (const quota of quotas) {
  const least = new Map(asked.map((threads) => [threads, Number.POSITIVE_INFINITY]))
  for (let round = 0; round < Number(options.rounds); round++)
    for (const threads of asked) {
      const seconds = await withLock(options.lock, () => secondsOf(threads, quota))
      least.set(threads, Math.min(least.get(threads), seconds))
    }
  for (const [threads, seconds] of least) {
    const ratio = (seconds / least.get('1')).toFixed(2)
    console.log(`| ${quota ?? 'none'} | ${threads} | ${seconds.toPrecision(3)} | ${ratio} |`)
  }
}

/** Gives the least seconds of a pass; under a quota the mean, since passes are held up by turns. */
function secondsOf(threads, quota) {
  const group = quota === null ? null : groupWith(quota)
  try {
    const words = ['bench', '--size', options.size, '--precision', options.precision, '--json']
    const chosen = threads === 'default' ? [] : ['--threads', threads]
    const bench = [process.execPath, CLI, ...words, '--seconds', options.seconds, ...chosen]
    const inside = group === null ? '' : `echo $$ > ${group}/cgroup.procs && `
    const said = execFileSync('sh', ['-c', `${inside}exec "$@"`, 'sh', ...bench], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const { seconds } = JSON.parse(said)
    return quota === null ? seconds.min : seconds.median
  } finally {
    if (group !== null) rmdirSync(group)
  }
}

function groupWith(quota) {
  const isV2 = existsSync('/sys/fs/cgroup/cgroup.controllers')
  const group = `/sys/fs/cgroup/${isV2 ? '' : 'cpu/'}plumage-bench-${process.pid}`
  mkdirSync(group)
  const microseconds = Math.round(quota * PERIOD)
  if (isV2) writeFileSync(`${group}/cpu.max`, `${microseconds} ${PERIOD}`)
  else {
    writeFileSync(`${group}/cpu.cfs_period_us`, `${PERIOD}`)
    writeFileSync(`${group}/cpu.cfs_quota_us`, `${microseconds}`)
  }
  return group
}
