/**
 * Counts what the inner loops of an instruction set would take on processors that are not at hand: their assembly, as the compiler makes it, goes through llvm-mca.
 *
 *     node bench/count-kernels.mjs [--sets avx512-bf16,avx512-vnni] [--processors znver4,sapphirerapids]
 *
 * It needs LLVM 16 or newer (PLUMAGE_LLVM_MCA names its llvm-mca), whose models know Zen 4. Nothing is run, and the first-level cache is taken to hold whatever is read: the
 * figures are what the instructions alone allow.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { assembleKernels } from '../scripts/build-native.mjs'

const execute = promisify(execFile)
const MOST_TEXT = 64 << 20
const ITERATIONS = 200
const PRODUCTS = /^v(?:p?dp(?:bf16ps|busd|wssd)|fn?m(?:add|sub)\d+ps|pmaddwd)\b/

/**
 * Puts what processors were measured to do in the place of what LLVM's models say: on Zen 4, peaks of bfloat16 and int8 are twice and four times that of float32, so that
 * their instructions begin as often, where LLVM 19 lets them wait two and three times as long; and a number that is read into all lanes takes no more than another load,
 * where it takes a place among the products as well.
 */
const CORRECTIONS = [
  [/^(\s*)v(?:pdp(?:busd|wssd)|dpbf16ps)\b/, '$1vfmadd231ps'],
  [/^(\s*)vp?broadcast(?:ss|d)(\s+\S*\([^)]*\)), %([xyz]mm\d+)/, '$1vmovups$2, %$3'],
]

/**
 * Names the loops: of the functions whose names match, the innermost one that has most of the instructions `has` and none of `lacks`. Of tiles it is that of the largest.
 */
const LOOPS = [
  { name: 'product, float32', of: /\btile<.*Float32Product, (\d+), (\d+), true, false>/, has: PRODUCTS },
  { name: 'product, bfloat16', of: /\btile<.*Bfloat16Product, (\d+), (\d+), true, false>/, has: PRODUCTS },
  {
    name: 'product, int8',
    of: /\btile<.*(?:Int8|Int16Rows)Product, (\d+), (\d+), true, false>/,
    has: PRODUCTS,
  },
  {
    name: 'values of attention, bfloat16',
    of: /\btile<.*Bfloat16Product, (\d+), (\d+), false, true>/,
    has: PRODUCTS,
  },
  {
    name: 'values of attention, float32',
    of: /\btile<.*Float32Product, (\d+), (\d+), false, true>/,
    has: PRODUCTS,
  },
  {
    name: 'largest scores, bfloat16',
    of: /\b(?:narrowAttention|DotAttention::run)\(/,
    has: /^vmaxps\b/,
    lacks: /^v(?:dp|fm|unpck|p)/,
  },
  {
    name: 'weights of scores, bfloat16',
    of: /\b(?:narrowAttention|DotAttention::run)\(/,
    has: /^v(?:permw|dpbf16ps)\b/,
  },
  { name: 'weights of scores, float32', of: /\battention\(/, has: /^v(?:scalefps|rndscaleps|pslld)\b/ },
  {
    name: 'GELU and end of a product, int8',
    of: /\b(?:gemmEnding|Finish)<.*Int8Product.*Ending\)3>/,
    has: /^vfm/,
  },
  {
    name: 'residual and end of a product, int8',
    of: /\b(?:gemmEnding|Finish)<.*Int8Product.*Ending\)1>/,
    has: /^v(?:cvtdq2ps|mulps)\b/,
  },
  {
    name: 'products of attention, int8',
    of: /\btile<.*Int16Product, (\d+), (\d+), true, false>/,
    has: PRODUCTS,
  },
  {
    name: 'values of attention, int8',
    of: /\btile<.*Int16Product, (\d+), (\d+), false, false>/,
    has: PRODUCTS,
  },
  {
    name: 'largest scores, int8',
    of: /\b(?:narrowAttention|Int16Attention::\w+)\(/,
    has: /^vpmaxsd\b/,
    lacks: /^vp(?:and|sll)/,
  },
  {
    name: 'weights of scores, int8',
    of: /\b(?:narrowAttention|Int16Attention::\w+)\(/,
    has: /^vp(?:maddwd|dpwssd)\b/,
  },
  { name: 'norm: sum', of: /\bnorm\(/, has: /^vaddps\b/, lacks: /^v(?:fm|mulps|and|subps|perm)/ },
  { name: 'norm: sum of squares', of: /\bnorm\(/, has: /^vfmadd/, lacks: /^vmulps/ },
  { name: 'norm: values', of: /\bnorm\(/, has: /^vmulps\b/, lacks: /^v(?:pand|cvt|pmov)/ },
  { name: 'int8 rows: largest', of: /\bconvert\(/, has: /^vpmaxsd\b/, lacks: /^vpmov/ },
  { name: 'int8 rows: bytes', of: /\bconvert\(/, has: /^vpmov\w*db\b/ },
]

/** @param {string} assembly */
function functionsOf(assembly) {
  const functions = []
  for (const [, symbol, body] of assembly.matchAll(/^(_Z[^\s:]+):\n(.*?)^\s*\.cfi_endproc/gms)) {
    const lines = body.split('\n').filter((line) => line.trim() !== '' && !/^\s*(?:\.[a-z]|#)/.test(line))
    functions.push({ symbol, lines })
  }
  return functions
}

/** Lists the innermost loops of a function: what lies between a label and a jump back to it, with no such jump between. */
function loopsOf({ lines }) {
  const labels = new Map(
    lines.flatMap((line, at) => (/^\.\w+:/.test(line) ? [[line.slice(0, line.indexOf(':')), at]] : [])),
  )
  const loops = []
  for (const [at, line] of lines.entries()) {
    const [, target] = /^\s*j\w+\s+(\.\w+)/.exec(line) ?? []
    const start = labels.get(target)
    if (start === undefined || start >= at) continue
    if (loops.some((inner) => inner.start >= start && inner.end <= at)) continue
    loops.push({ start, end: at, body: lines.slice(start + 1, at + 1).filter((one) => !/^\.\w+:/.test(one)) })
  }
  return loops
}

const count = (body, pattern) => body.filter((line) => pattern.test(line.trim())).length

const lanesOf = (body) => (count(body, /%zmm/) > 0 ? 16 : 8)

async function cyclesOf(body, processor, folder) {
  const path = join(folder, 'loop.s')
  const corrected = body.map((line) => CORRECTIONS.reduce((text, [from, to]) => text.replace(from, to), line))
  await writeFile(path, `${corrected.join('\n')}\n`)
  const mca = process.env.PLUMAGE_LLVM_MCA ?? 'llvm-mca'
  const { stdout } = await execute(mca, [`-mcpu=${processor}`, `-iterations=${ITERATIONS}`, path], {
    maxBuffer: MOST_TEXT,
  })
  return Number(/Total Cycles:\s+(\d+)/.exec(stdout)[1]) / ITERATIONS
}

async function assemblyOf(set, folder) {
  const path = join(folder, `${set}.s`)
  await assembleKernels(set, path)
  const assembly = await readFile(path, 'utf8')
  const symbols = functionsOf(assembly)
  await writeFile(join(folder, 'symbols'), symbols.map(({ symbol }) => symbol).join('\n'))
  const { stdout } = await execute('sh', ['-c', `c++filt < '${join(folder, 'symbols')}'`], {
    maxBuffer: MOST_TEXT,
  })
  const names = stdout.split('\n')
  return symbols.map((one, index) => ({ ...one, name: names[index] }))
}

/** Finds the loop that an entry of LOOPS names. */
function find({ of, has, lacks }, functions) {
  let best = null
  for (const one of functions) {
    const [, rows = 1, vectors = 1] = of.exec(one.name) ?? [null]
    if (!of.test(one.name)) continue
    for (const { body } of loopsOf(one)) {
      const found = count(body, has)
      if (found === 0 || (lacks !== undefined && count(body, lacks) > 0)) continue
      const size = Number(rows) * Number(vectors) * 1000 + found
      if (best === null || size > best.size)
        best = { size, body, tile: vectors === 1 ? '' : ` ${rows} x ${vectors * lanesOf(body)}` }
    }
  }
  return best
}

const { values: options } = parseArgs({
  options: {
    sets: { type: 'string', default: 'avx512-bf16,avx512-vnni' },
    processors: { type: 'string', default: 'znver4,sapphirerapids' },
  },
})
const processors = options.processors.split(',')
const folder = await mkdtemp(join(tmpdir(), 'plumage-count-'))
try {
  console.log(
    `| set | loop | instructions | products | on the stack | ${processors.map((name) => `${name}: cycles, products a cycle`).join(' | ')} |`,
  )
  console.log(`| --- | --- |${' --- |'.repeat(3 + processors.length)}`)
  for (const set of options.sets.split(',')) {
    const functions = await assemblyOf(set, folder)
    for (const loop of LOOPS) {
      const found = find(loop, functions)
      if (found === null) continue
      const products = count(found.body, PRODUCTS),
        stacked = count(found.body, /\(%rsp\)/)
      const cells = []
      for (const processor of processors) {
        const cycles = await cyclesOf(found.body, processor, folder)
        cells.push(`${cycles.toFixed(1)}, ${(products / cycles).toFixed(2)}`)
      }
      console.log(
        `| ${set} | ${loop.name}${found.tile} | ${found.body.length} | ${products} | ${stacked} | ${cells.join(' | ')} |`,
      )
    }
  }
} finally {
  await rm(folder, { recursive: true })
}
