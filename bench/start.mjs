/**
 * Prints where the time goes from starting a process to its first embedding: for the command line, for the library, from a checkpoint and from packed
 * weights.
 *
 *     node bench/start.mjs [--model <file>] [--size <pixels>] [--precision <p>] [--runs <n>]
 *
 * Without a model it is the one in the package. Every figure is a median; what is behind it in brackets is the least and the most. Processor-seconds are
 * those of the whole process: on a machine that does other work beside they say more than the clock does. Files are in the page cache.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { dist } from './dist.mjs'
import { describeMachine } from './machine.mjs'
import { median } from './median.mjs'
import { intoPageCache } from './model-files.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const photo = join(root, 'examples/photos/hat-1.jpg')
const program = fileURLToPath(import.meta.url)

/** These are in the order in which a process meets them. */
const STAGES = ['node starts', 'modules', 'addon', 'load', 'first photo', 'second photo']

if (process.argv[2] === 'child') console.log(JSON.stringify(await stagesOf(...process.argv.slice(3))))
else await compare()

/** Is what a fresh process does as a program that uses the library; gives the seconds of each stage by the clock and of the processor. */
async function stagesOf(model, precision, size) {
  let before = { wall: 0, busy: 0 }
  const stages = []
  const stage = () => {
    const { user, system } = process.cpuUsage()
    const now = { wall: performance.now() / 1000, busy: (user + system) / 1e6 }
    stages.push({ wall: now.wall - before.wall, busy: now.busy - before.busy })
    before = now
  }
  stage()
  const { loadEncoder, nativeAvailability } = await dist('bundle/node/node.js')
  stage()
  nativeAvailability()
  stage()
  const options = { engine: 'native', ...(precision === '' ? {} : { precision }) }
  const encoder = await loadEncoder(model, { ...options, ...(size === '' ? {} : { size: Number(size) }) })
  stage()
  await encoder.encode(photo)
  stage()
  await encoder.encode(photo)
  stage()
  const peakBytes = process.resourceUsage().maxRSS * 1024
  await encoder[Symbol.asyncDispose]()
  return { stages, peakBytes }
}

async function compare() {
  const { values } = parseArgs({
    options: {
      model: { type: 'string', default: 'small' },
      size: { type: 'string', default: '' },
      precision: { type: 'string', default: '' },
      runs: { type: 'string', default: '5' },
    },
  })
  const { model, size, precision } = values
  const runs = Number(values.runs)
  const cache = mkdtempSync(join(tmpdir(), 'plumage-start-'))
  const env = { ...process.env, PLUMAGE_CACHE: cache }
  try {
    if (model !== 'small') intoPageCache(model)
    console.log(JSON.stringify(describeMachine()))
    const told = [...option('--precision', precision), ...option('--size', size)]
    const command = () => run(['dist/bundle/node/cli.js', 'embed', '--model', model, ...told, photo], env)
    const library = () => JSON.parse(run([program, 'child', model, precision, size], env).stdout)
    // The digest of the weights is noted by the first load, and known to all others.
    command()
    const plain = { command: times(runs, command), library: times(runs, library) }
    run(['dist/bundle/node/cli.js', 'pack', model, ...option('--precision', precision)], env)
    const packed = { command: times(runs, command), library: times(runs, library) }
    print('from the checkpoint', plain)
    print('from packed weights', packed)
  } finally {
    rmSync(cache, { recursive: true, force: true })
  }
}

function option(name, value) {
  return value === '' ? [] : [name, value]
}

function times(runs, measure) {
  return Array.from({ length: runs }, measure)
}

/** Starts Node, and gives what it prints with its seconds by the clock and of the processor. */
function run(args, env) {
  // The shell tells what the process and its children have used.
  const script = '"$0" "$@" && times >&2'
  const started = performance.now()
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script, process.execPath, ...args], {
    cwd: root,
    env,
    encoding: 'utf8',
    maxBuffer: 1e8,
  })
  if (status !== 0) throw new Error(`${args.join(' ')} failed: ${stderr}`)
  const wall = (performance.now() - started) / 1000
  const last = stderr.trim().split('\n').at(-1)
  const busy = [...last.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, m, s]) => sum + 60 * m + Number(s), 0)
  return { stdout, wall, busy }
}

function print(title, { command, library }) {
  const line = (name, found) =>
    console.log(
      `${name.padEnd(22)}${spread(found.map(({ wall }) => wall))}${spread(found.map(({ busy }) => busy))}`,
    )
  console.log(`\n${title.padEnd(22)}${'seconds'.padEnd(28)}processor-seconds`)
  for (const [index, name] of STAGES.entries())
    line(
      name,
      library.map(({ stages }) => stages[index]),
    )
  line('to the embedding', library.map(firstEmbedding))
  line('plumage embed', command)
  const peak = median(library.map(({ peakBytes }) => peakBytes)) / 2 ** 20
  console.log(`${'peak memory'.padEnd(22)}${peak.toFixed(0)} MiB`)
}

/** Adds up all stages but the second photo. */
function firstEmbedding({ stages }) {
  const sum = (key) => stages.slice(0, -1).reduce((total, stage) => total + stage[key], 0)
  return { wall: sum('wall'), busy: sum('busy') }
}

function spread(values) {
  const [least, most] = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(3))
  return `${median(values).toFixed(3)} (${least} to ${most})`.padEnd(28)
}
