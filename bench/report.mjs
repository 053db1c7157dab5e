/**
 * Writes what bench/README.md and bench/charts/ show of results.json, browser-results.json and gpu-results.json: for each network, size and batch the
 * newest run on each kind of processor or GPU, since what leads on one kind need not lead on another.
 *
 *     node bench/report.mjs
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { barChart } from './chart.mjs'
import { DISTURBED } from './machine.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
export const resultsPath = join(here, 'results.json')
export const browserResultsPath = join(here, 'browser-results.json')
export const gpuResultsPath = join(here, 'gpu-results.json')
const BEGIN = '<!-- from here on: written by npm run bench -->'

/** @param {string} [folder] with results.json and README.md */
export function writeReport(folder = here) {
  const newest = newestOf(join(folder, 'results.json'), keyOf)
  const charts = join(folder, 'charts')
  rmSync(charts, { recursive: true, force: true })
  mkdirSync(charts)
  const heldLast = (result) => Number(result.machine.held !== undefined)
  const cases = [...newest].toSorted(
    ([, a], [, b]) => rankOf(a) - rankOf(b) || heldLast(a) - heldLast(b) || a.flop - b.flop,
  )
  const sections = cases.map(([key, result]) => {
    const name = `${key}.svg`
    writeFileSync(join(charts, name), chartOf(result))
    return sectionOf(result, `charts/${name}`)
  })
  const readme = join(folder, 'README.md')
  const text = readFileSync(readme, 'utf8')
  const head = text.slice(0, text.indexOf(BEGIN) + BEGIN.length)
  const summary = summariesOf(cases.map(([, result]) => result))
  const inBrowser = browserSections(join(folder, 'browser-results.json'))
  const onGpus = gpuSections(join(folder, 'gpu-results.json'))
  writeFileSync(readme, `${head}\n\n${[...summary, ...inBrowser, ...onGpus, ...sections].join('\n\n')}\n`)
}

/** Names the kinds of processor, fastest first: `flag` is what the next one lacks. */
const KINDS = [
  { key: 'amx', name: 'AMX', flag: 'amx_int8' },
  { key: 'avx512-bf16', name: 'AVX-512 with BF16 and VNNI, without AMX', flag: 'avx512_bf16' },
  { key: 'avx512', name: 'AVX-512 without BF16', flag: 'avx512f' },
  { key: 'avx2', name: 'AVX2 alone', flag: 'avx2' },
  { key: 'other', name: 'none of these', flag: '' },
]
const NOT_HELD =
  'onnxruntime-node has no switch that would hold it, and uses all that the processor has; it stands beside the held ones all the same.'

const rankOf = ({ machine }) =>
  KINDS.findIndex(({ flag }) => flag === '' || machine.flags.split(' ').includes(flag))
/** Keeps a processor that was held to less than it has apart from those that have no more. */
const kindOf = (result) => {
  const kind = KINDS[rankOf(result)]
  if (result.machine.held === undefined) return kind
  return { key: `${kind.key}-held`, name: `${kind.name} (a processor with more, held to it)`, isHeld: true }
}

const networkKey = ({ network, side, batch }) => `${network}_${side}x${batch}`
const keyOf = (result) => `${kindOf(result).key}_${networkKey(result)}`

/** Gives results by their key; of the same key the one counts that was added last. */
function newestOf(path, key) {
  return new Map(JSON.parse(readFileSync(path, 'utf8')).map((result) => [key(result), result]))
}

/** @returns {string[]} none where nothing was measured on a GPU */
function gpuSections(path) {
  if (!existsSync(path)) return []
  const newest = newestOf(path, (result) => `${result.machine.gpu} ${networkKey(result)}`)
  const gpus = [...new Set([...newest.values()].map(({ machine }) => machine.gpu))]
  return gpus.map((gpu) => {
    const results = [...newest.values()].filter(({ machine }) => machine.gpu === gpu)
    const rows = results
      .toSorted((a, b) => a.flop - b.flop)
      .flatMap((result) =>
        bySpeed(result).map(
          ({ name, version, precision, min, median, flopPerSecond, cosine, error, coldStart }) => [
            titleOf(result),
            name === 'Plumage' ? `**${name}** ${version}` : `${name} ${version}`,
            precision,
            (1000 * min).toPrecision(3),
            (1000 * median).toPrecision(3),
            (flopPerSecond / 1e12).toPrecision(3),
            cosine === null ? 'NaN' : cosine.toFixed(7),
            error === null ? 'NaN' : error.toExponential(1),
            `${coldStart.toFixed(2)} s`,
          ],
        ),
      )
    const head = [
      '',
      'system',
      'precision',
      'ms, min',
      'ms, median',
      'TFLOP/s',
      'cosine',
      'error',
      'cold start',
    ]
    const [{ machine, truth, date }] = results
    return [
      `## On a GPU: ${gpu}`,
      table(head, rows),
      `From pixels to embedding and tokens, both in the computer's own memory; right is ${truth}. WebGPU through Dawn in Node ${machine.node}, ` +
        `${machine.cpu}, ${machine.cores} cores, ${machine.system}; ${date.slice(0, 10)}.`,
    ].join('\n\n')
  })
}

/** @returns {string[]} none where nothing was measured in a browser */
function browserSections(path) {
  if (!existsSync(path)) return []
  return JSON.parse(readFileSync(path, 'utf8')).map((result) => {
    const rows = result.systems
      .toSorted((a, b) => a.median - b.median)
      .map(({ name, version, kind, precision, min, median, share, cosine, error, start }) => [
        kind.startsWith('plumage') ? `**${name}** ${version}` : `${name} ${version}`,
        precision,
        min.toPrecision(3),
        median.toPrecision(3),
        (result.flop / median / 1e9).toPrecision(3),
        share === null ? '' : `${Math.round(100 * share)} %`,
        cosine.toFixed(7),
        error.toExponential(1),
        `${start.toFixed(2)} s`,
      ])
    const head = [
      'system',
      'precision',
      's, min',
      's, median',
      'GFLOP/s',
      'of peak',
      'cosine',
      'error',
      'start and first pass',
    ]
    const { browser, threads, peak, machine, missing, date } = result
    return [
      `## In a browser: ${titleOf(result)}`,
      table(head, rows),
      `${browser}, ${threads} threads, one page, cross-origin isolated; ${machine.cpu}, ${date.slice(0, 10)}. The peak is what relaxed ` +
        `multiply-adds in registers reach on all threads: ${(peak / 1e9).toFixed(1)} GFLOP/s. Products of weights kept in bfloat16 and float16 are float32; those of int8 are of integers, with activations in 14 bits.`,
      ...missing.map(({ name, reason }) => `Missing: ${name} (${reason}).`),
    ].join('\n\n')
  })
}

/** Shows Plumage beside the fastest of the others, for each kind of processor, case and precision. */
function summariesOf(results) {
  const kinds = new Map(results.map((result) => [kindOf(result).key, kindOf(result)]))
  const groups = [...kinds].map(([key, kind]) => ({
    kind,
    own: results.filter((result) => kindOf(result).key === key),
  }))
  return [
    '## In short',
    'Seconds a run, median: **Plumage**; the fastest of the others in that precision.',
    ...groups.flatMap(({ kind, own }) => [
      `### ${kind.name}`,
      ...(kind.isHeld ? [NOT_HELD] : []),
      summaryOf(own),
    ]),
  ]
}

function summaryOf(results) {
  const measured = new Set(results.flatMap(({ systems }) => systems.map(({ precision }) => precision)))
  const precisions = ['float32', 'high', 'bfloat16', 'int8'].filter((precision) => measured.has(precision))
  const rows = results.map((result) => [
    titleOf(result),
    ...precisions.map((precision) => {
      const { ours, best } = fastestOf(result, precision)
      const parts = [
        ...(ours === undefined ? [] : [`**${ours.median.toPrecision(3)}**`]),
        ...(best === undefined ? [] : [`${best.median.toPrecision(3)} (${best.name})`]),
      ]
      return parts.join('; ')
    }),
  ])
  return table(['', ...precisions], rows)
}

/** Finds Plumage and the fastest of the others in a precision; what was not measured is undefined. */
export function fastestOf(result, precision) {
  const systems = bySpeed(result).filter((system) => system.precision === precision)
  return {
    ours: systems.find(({ name }) => name === 'Plumage'),
    best: systems.find(({ name }) => name !== 'Plumage'),
  }
}

function titleOf({ network, side, batch }) {
  return `${network}, ${side} x ${side}, batch ${batch}`
}

function chartOf(result) {
  const bars = bySpeed(result).map(({ name, precision, median }) => ({
    label: `${name}, ${precision}`,
    value: median,
    text: `${median.toPrecision(3)} s`,
    strong: name === 'Plumage',
  }))
  return barChart({ title: `${titleOf(result)}, ${kindOf(result).name}: seconds a run, median`, bars })
}

function sectionOf(result, chart) {
  const { machine, flop, truth, missing, rounds, threads, date, fromFile } = result
  const lines = [
    `## ${kindOf(result).name}: ${titleOf(result)}`,
    `![Seconds of each system](${chart})`,
    table(
      [
        'system',
        'precision',
        's, min',
        's, median',
        'TFLOP/s',
        'of peak',
        'cosine',
        'error',
        'peak memory',
        'cold start',
      ],
      bySpeed(result).map(rowOf),
    ),
    ...missing.map(
      ({ name, precision, reason }) => `- Missing: ${name}, ${precision}: ${reason.replace(/\.$/, '')}.`,
    ),
    `${(flop / 1e12).toPrecision(4)} TFLOP; ${rounds} rounds on ${threads} threads; right is ${truth}; ${peaksOf(result)}.`,
    ...fromFileOf(fromFile),
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.flags}; ${machine.system}, Node ${machine.node}; ${date.slice(0, 10)}.`,
  ]
  return lines.join('\n\n').replaceAll('\n\n- Missing', '\n- Missing').replace('\n- Missing', '\n\n- Missing')
}

/** Says nothing of results that were measured without the file. */
function fromFileOf(fromFile) {
  if (fromFile === undefined) return []
  const { firstEmbedding, ratio, peakRatio } = fromFile
  return [
    `Plumage in float32, from opening the file to the first embedding: ${firstEmbedding.toFixed(2)} s, ` +
      `${ratio.toFixed(2)} times reading the file once and one pass; peak memory ${peakRatio.toFixed(2)} times the file.`,
  ]
}

function rowOf(system) {
  const { name, version, precision, min, median, flopPerSecond, ofPeak, cosine, error, peakBytes } = system
  const disturbed = system.others > DISTURBED ? ` (others took ${system.others.toFixed(1)} cores)` : ''
  return [
    `${name === 'Plumage' ? `**${name}**` : name} ${version}`,
    precision,
    min.toPrecision(3),
    median.toPrecision(3) + disturbed,
    (flopPerSecond / 1e12).toPrecision(3),
    ofPeak === null ? '' : `${(100 * ofPeak).toFixed(0)} %`,
    cosine === null ? 'NaN' : cosine.toFixed(7),
    error === null ? 'NaN' : error.toExponential(1),
    `${(peakBytes / 2 ** 30).toFixed(2)} GiB`,
    `${system.coldStart.toFixed(2)} s`,
  ]
}

function peaksOf({ systems }) {
  const peaks = new Map(systems.map(({ precision, peakFlopPerSecond }) => [precision, peakFlopPerSecond]))
  const known = [...peaks].filter(([, peak]) => peak !== null)
  const texts = known.map(([precision, peak]) => `${precision} ${(peak / 1e12).toPrecision(3)} TFLOP/s`)
  return `measured peak of the processor: ${texts.join(', ') || 'none'}`
}

function bySpeed({ systems }) {
  return systems.toSorted((a, b) => a.median - b.median)
}

function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeReport()
