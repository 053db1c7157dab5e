/**
 * Writes docs/scale.md: what a fleet takes, by arithmetic from figures that the benches recorded. Nothing in its tables was typed.
 *
 *     npx vitest run scripts/scale-doc.test.ts --update
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const BILLION = 1e9
const NETWORKS = {
  vit_reg4_s14_nps_ls: ['ViT-S/14', 384],
  vit_reg4_b14_nps_ls: ['ViT-B/14', 768],
  vit_reg4_l14_nps_ls: ['ViT-L/14', 1024],
}
const PRECISIONS = ['float32', 'high', 'bfloat16', 'int8']
/** A part aims at two minutes. */
const PART_SECONDS = 120

export function scaleText() {
  return [
    read('scripts/scale-doc/intro.md'),
    speeds(),
    read('scripts/scale-doc/storage.md'),
    storage(),
    read('scripts/scale-doc/holds.md'),
    holds(),
    read('scripts/scale-doc/costs.md'),
    costs(),
    read('scripts/scale-doc/simulation.md'),
    simulation(),
    read('scripts/scale-doc/soak.md'),
    soak(),
    read('scripts/scale-doc/failures.md'),
  ].join('\n')
}

function read(path) {
  return readFileSync(join(root, path), 'utf8')
}

/** The newest run of each network, size and kind of processor counts, with the batch that is fastest. */
function measuredSpeeds() {
  const found = new Map()
  for (const run of JSON.parse(read('bench/results.json'))) {
    if (NETWORKS[run.network] === undefined || run.machine.cpu.includes('held')) continue
    const machine = kindOf(run.machine)
    for (const { name, precision, median } of run.systems) {
      if (name !== 'Plumage') continue
      const key = [machine, run.network, run.side, precision].join('|')
      const perCoreSecond = run.batch / median / run.machine.cores
      const kept = found.get(key)
      const isNewer = kept === undefined || run.date.slice(0, 10) > kept.day
      if (isNewer || (run.date.slice(0, 10) === kept.day && perCoreSecond > kept.perCoreSecond))
        found.set(key, {
          machine,
          network: run.network,
          side: run.side,
          precision,
          perCoreSecond,
          day: run.date.slice(0, 10),
        })
    }
  }
  return [...found.values()]
}

function kindOf({ cpu, flags }) {
  const set = flags.includes('amx_bf16') ? 'AMX' : flags.includes('avx512f') ? 'AVX-512' : 'AVX2'
  return `${cpu.replaceAll(/\(R\)|\(TM\)| Processor/g, '').trim()}, ${set}`
}

function speeds() {
  const all = measuredSpeeds()
  const rows = []
  for (const machine of [...new Set(all.map((speed) => speed.machine))])
    for (const [network, [label]] of Object.entries(NETWORKS))
      for (const side of [224, 518]) {
        const cells = PRECISIONS.map((precision) => {
          const speed = all.find(
            (one) =>
              one.machine === machine &&
              one.network === network &&
              one.side === side &&
              one.precision === precision,
          )
          return speed === undefined ? '' : counted(speed.perCoreSecond * 3600)
        })
        if (cells.some((cell) => cell !== '')) rows.push([machine, label, side, ...cells])
      }
  return table(['processor', 'network', 'side', ...PRECISIONS], rows)
}

function storage() {
  const rows = Object.values(NETWORKS).map(([label, width]) => [
    label,
    width,
    bytes(BILLION * width * 4),
    bytes(BILLION * width * 2),
    bytes(BILLION * width),
    bytes((BILLION * width) / 8),
  ])
  return table(
    ['network', 'numbers', 'float32', 'float16', 'int8', 'product-quantised, a byte for 8 numbers'],
    rows,
  )
}

/** A row of a plan as it is written: id, name and address of an object in a bucket. */
const PLAN_ROW = JSON.stringify({
  id: 'photos/2024/07/IMG_00012345.jpg@1a2b3c4d5e6f',
  name: 's3://photos/2024/07/IMG_00012345.jpg',
  place: { address: 's3://photos/2024/07/IMG_00012345.jpg', version: '1a2b3c4d5e6f' },
}).length

function partsOf(perCoreSecond, cores) {
  const rowsPerPart = Math.round(perCoreSecond * cores * PART_SECONDS)
  return { rowsPerPart, parts: Math.ceil(BILLION / rowsPerPart) }
}

/** ViT-S/14 at 224 in float32 on a worker of eight cores, of the slowest processor measured. */
function example() {
  const all = measuredSpeeds().filter(
    ({ network, side, precision }) =>
      network === 'vit_reg4_s14_nps_ls' && side === 224 && precision === 'float32',
  )
  const slowest = all.reduce((least, one) => (one.perCoreSecond < least.perCoreSecond ? one : least))
  return { ...slowest, ...partsOf(slowest.perCoreSecond, 8) }
}

function holds() {
  const { rowsPerPart, parts, machine } = example()
  const rows = [
    ['plan', `${counted(BILLION)} rows of about ${PLAN_ROW + 1} bytes`, bytes(BILLION * (PLAN_ROW + 1))],
    [
      'parts',
      `${counted(parts)} of ${counted(rowsPerPart)} rows: 384 halves, and about 120 bytes of name, id and state a row`,
      bytes(BILLION * (768 + 120)),
    ],
    ['queue', '10,000 tasks of about 1.5 kB, whatever the job holds', bytes(10_000 * 1500)],
    [
      'a worker',
      'one part: its rows and their embeddings, and 256 MB of images that are read ahead',
      bytes(rowsPerPart * (PLAN_ROW + 768 * 2 + 300) + 256 * 2 ** 20),
    ],
    ['proof', `${counted(parts)} footers of about 1 kB, one after another`, bytes(parts * 1000)],
    ['a collection', 'at most 20,000,000 rows: vectors, columns, index', bytes(20e6 * (768 + 200 + 48))],
    [
      'collections',
      `${Math.ceil(BILLION / 20e6)} of them, with 1.2 MB each that says where its vectors lie; exact search goes through one after the other`,
      bytes(BILLION * (768 + 200 + 48)),
    ],
  ]
  return `${table(['what', 'holds', 'bytes'], rows)}\nThe example: ViT-S/14 at 224 in float32 on workers with eight cores as those of ${machine}.\n`
}

/** A part's plan is read twice; its commit is asked for, written and told; its footer is read by the proof and by the finish. */
const PUTS_PER_PART = 2
const GETS_PER_PART = 6
const PUT_DOLLARS = 0.005 / 1000
const GET_DOLLARS = 0.0004 / 1000
const GB_MONTH_DOLLARS = 0.023

function costs() {
  const { parts, perCoreSecond } = example()
  const coreHours = BILLION / perCoreSecond / 3600
  const kept = BILLION * (768 + 120 + PLAN_ROW + 1)
  const rows = [
    ['computing', `${counted(coreHours)} core-hours`, 'your price of a core-hour'],
    ['puts of parts', counted(parts * PUTS_PER_PART), dollars(parts * PUTS_PER_PART * PUT_DOLLARS)],
    ['gets of parts', counted(parts * GETS_PER_PART), dollars(parts * GETS_PER_PART * GET_DOLLARS)],
    ['gets of images, one each', counted(BILLION), dollars(BILLION * GET_DOLLARS)],
    ['plan and parts kept a month', bytes(kept), dollars((kept / 1e9) * GB_MONTH_DOLLARS)],
  ]
  return table(['what', 'how much', 'at list price'], rows)
}

/** Each bench has recorded a section, with the machine and how busy it was. */
function simulation() {
  const path = 'bench/jobs-results.json'
  if (!existsSync(join(root, path))) return 'Not measured yet: `node bench/jobs.mjs`.\n'
  const sections = Object.values(JSON.parse(read(path)))
  const made = table(
    ['what', 'figure', 'threads that wanted to run'],
    sections.flatMap(({ rows, load: [least, most] }) =>
      rows.map(({ what, figure }) => [what, figure, `${Math.round(least)} to ${Math.round(most)}`]),
    ),
  )
  const days = [...new Set(sections.map(({ date }) => date.slice(0, 10)))].join(', ')
  const machines = [...new Set(sections.map(({ machine }) => machine))].join('; ')
  return `${made}\nMeasured on ${days}, ${machines}.\n`
}

/** Sums up what was done to the jobs of the soak, and how often. */
function soak() {
  const path = 'bench/soak-results.jsonl'
  if (!existsSync(join(root, path))) return 'Not run yet.\n'
  const runs = read(path)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const sizes = [...new Set(runs.map(({ rows }) => rows))].sort((a, b) => b - a)
  const counts = new Map()
  for (const { rows, faults } of runs)
    for (const [name, count] of Object.entries(faults)) {
      const found = counts.get(name) ?? new Map()
      counts.set(name, found.set(rows, (found.get(rows) ?? 0) + count))
    }
  const heads = sizes.map(
    (size) => `${runs.filter(({ rows }) => rows === size).length} jobs of ${counted(size)} rows`,
  )
  const rows = [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, bySize]) => [name, ...sizes.map((size) => counted(bySize.get(size) ?? 0))])
  const places = (key) =>
    [...new Set(runs.map((run) => run[key]))]
      .sort()
      .map((name) => `${runs.filter((run) => run[key] === name).length} on ${PLACES[name]}`)
      .join(', ')
  const all = counted(runs.reduce((sum, { rows: size }) => sum + size, 0))
  return `${table(['what was done', ...heads], rows)}\nOf all ${all} rows each was in its result once, by the proof that reads all of them and by reading everything beside it. Queues: ${places('queue')}; results: ${places('storage')}.\n`
}

const PLACES = { redis: 'Redis', postgres: 'PostgreSQL', bucket: 'a bucket', folder: 'a folder' }

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return `${[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')}\n`
}

function counted(value) {
  return Number(value.toPrecision(3)).toLocaleString('en-US')
}

function bytes(count) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let unit = 0
  let value = count
  while (value >= 1000) {
    value /= 1000
    unit++
  }
  return `${Number(value.toPrecision(3))} ${units[unit]}`
}

function dollars(value) {
  return `$${counted(value)}`
}
