/**
 * Writes test/golden/data: the part of the golden cases that is committed, so that a clone alone tests every feature.
 *
 *     node scripts/choose-goldens.mjs <folder with the whole set>
 *
 * The layout and the index are those of the whole set with fewer cases, and with fewer checkpoints and image results in a case.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const LIMIT_BYTES = 12e6

/** Every case of these kinds is small. */
const WHOLE_KINDS = ['malformed', 'position']

/** There is one network for each structural feature; `.pt` says that its torch file is kept. */
const NETWORKS = [
  'tiny/vit-reg4-nps-ls.adjust-56x84',
  'tiny/vit-reg4-nps-ls.dynamic-56x84',
  'tiny/vit-cls',
  'tiny/vit-reg2-cls.dynamic-42x98',
  'tiny/vit-reg3-avg',
  'tiny/vit-reg4-rms-avg',
  'tiny/vit-pn-npn-avg',
  'tiny/vit-qkn-ls',
  'tiny/vit-qkn-rms',
  'tiny/vit-nf-swiglu',
  'tiny/vit-ap',
  'tiny/vit-reg2-aps',
  'tiny/vit-reg2-eps',
  'tiny/vit-avg-nap',
  'tiny/vit-pn-quick-gelu-projection',
  'tiny/vit-act-gelu-tanh',
  'tiny/vit-act-sigmoid',
  'tiny/vit-act-silu',
  'tiny/vit-act-relu.pt',
  'tiny/vit-act-hard-swish',
  'tiny/vit-act-mish',
  'tiny/vit-rectangle.adjust-84x42',
  'tiny/vit-classes.pt',
  'tiny/vit-classes-mlp-head',
  'tiny/vit-grey',
  'tiny/vit-soft-moe.pt',
  'tiny/vit-out-indices',
  'tiny/vit-nape',
]

/** Every dialect is there with registers and without, and with both kinds of MLP; the rectangles show each one's way with positions. */
const DIALECTS = [
  'dialects/dinov2-reg4/hugging-face-sharded/model.98x98',
  'dialects/dinov2/facebook/model.56x84',
  'dialects/dinov2/timm/model.56x84',
  'dialects/dinov2-swiglu/facebook/model.70x70',
  'dialects/dinov2-swiglu/hugging-face/model.42x98',
  'dialects/dinov2-swiglu/timm/model.42x98',
  'dialects/dinov2-reg4-swiglu/facebook/model.42x98',
  'dialects/dinov2-reg4-swiglu/hugging-face/model.42x98',
  'dialects/dinov2-reg4-swiglu/timm/model.42x98',
  'dialects/dinov2-reg4-swiglu/birder/model',
]

const LARGE = ['large/518', 'large/224x224']

/** Two large photos and what is made from them are left out. */
const LEFT_OUT = [
  'preprocess/large',
  'preprocess/wide',
  'end-to-end/seed-shape-logits',
  'end-to-end/seed-shape-photo',
  'end-to-end/projection-simple-crop',
]
/** The whole arrays of these are left out, since their results are there as hashes. */
const WITHOUT_ARRAYS = ['preprocess/odd', 'preprocess/progressive']

const NOTE = `> This folder is the part of the set that is committed, chosen by scripts/choose-goldens.mjs. What is described below and not here (the generator, further cases) belongs to the whole set.
`

const [whole] = process.argv.slice(2)
if (whole === undefined || !existsSync(join(whole, 'index.json'))) {
  console.error('Which goldens? Give the folder of the whole set, which has an index.json.')
  process.exit(2)
}
const target = join(dirname(dirname(fileURLToPath(import.meta.url))), 'test/golden/data')
if (resolve(whole) === target) {
  console.error('That is the chosen part itself. Give the folder of the whole set.')
  process.exit(2)
}
writeChosen(JSON.parse(readFileSync(join(whole, 'index.json'), 'utf8')))

function writeChosen(index) {
  const chosen = chooseCases(index.cases)
  const files = new Set(['README.md', 'malformed/README.md', ...chosen.flatMap(pathsIn)])
  rmSync(target, { recursive: true, force: true })
  for (const file of files) {
    mkdirSync(dirname(join(target, file)), { recursive: true })
    const bytes = readFileSync(join(whole, file))
    const prose = () => paragraphLines(bytes.toString('utf8'))
    const text = file === 'README.md' ? `${NOTE}\n${prose()}` : file.endsWith('.md') ? prose() : bytes
    writeFileSync(join(target, file), text)
  }
  writeFileSync(join(target, 'index.json'), indexText({ ...index, cases: chosen }))

  const bytes = [...files, 'index.json'].reduce((sum, file) => sum + statSync(join(target, file)).size, 0)
  console.log(
    `${chosen.length} of ${index.cases.length} cases, ${files.size + 1} files, ${(bytes / 1e6).toFixed(2)} MB`,
  )
  if (bytes > LIMIT_BYTES) {
    console.error(`That is more than ${LIMIT_BYTES / 1e6} MB: choose fewer.`)
    process.exitCode = 1
  }
}

function chooseCases(cases) {
  const byId = new Map(cases.map((golden) => [golden.id, golden]))
  const networks = [...NETWORKS, ...DIALECTS].map((name) => {
    const golden = byId.get(name.replace(/\.pt$/, ''))
    if (golden === undefined) throw new Error(`There is no case ${name}.`)
    return { ...golden, checkpoints: golden.checkpoints.filter((file) => isKept(file, name.endsWith('.pt'))) }
  })
  const kept = new Set(networks.flatMap(({ checkpoints }) => checkpoints.map(({ path }) => path)))
  const chosen = new Map(networks.map((golden) => [golden.id, golden]))
  for (const golden of cases) {
    if (LEFT_OUT.includes(golden.id)) continue
    if (WHOLE_KINDS.includes(golden.kind) || LARGE.includes(golden.id)) chosen.set(golden.id, golden)
    if (golden.kind === 'preprocess')
      chosen.set(golden.id, WITHOUT_ARRAYS.includes(golden.id) ? hashesOnly(golden) : golden)
    if (golden.kind !== 'end-to-end') continue
    const checkpoints = golden.checkpoints.filter(({ path }) => kept.has(path))
    if (checkpoints.length > 0) chosen.set(golden.id, { ...golden, checkpoints })
  }
  return cases.flatMap(({ id }) => chosen.get(id) ?? [])
}

/** Birder's networks are stored in two formats with the same weights. The other dialects have one each, with files beside it. */
function isKept({ dialect, format }, torch) {
  return dialect !== 'birder' || format !== (torch ? 'safetensors' : 'torch')
}

function hashesOnly({ expected: _expected, tensors: _tensors, ...golden }) {
  return golden
}

/** Finds every file that a case names, wherever in it. */
function pathsIn(value) {
  if (value === null || typeof value !== 'object') return []
  const own = typeof value.path === 'string' ? [value.path] : []
  return [...own, ...Object.values(value).flatMap(pathsIn)]
}

/** Writes a line for each case, which is small, and a change of one case is one line of a diff. */
function indexText({ cases, ...head }) {
  const lines = cases.map((golden) => JSON.stringify(golden))
  return `${JSON.stringify(head).slice(0, -1)},"cases":[\n${lines.join(',\n')}\n]}\n`
}

/** Puts each paragraph and each item of a list on one line, as this repository has its prose. Code, tables and headings stay as they are. */
function paragraphLines(markdown) {
  const lines = []
  let isCode = false
  let isOpen = false
  for (const line of markdown.split('\n')) {
    const isFence = line.startsWith('```')
    if (isFence) isCode = !isCode
    const stands = isFence || isCode || line.trim() === '' || /^(#|\||\t| {4})/.test(line)
    const begins = /^\s*([-*>]|\d+\.) /.test(line)
    if (isOpen && !stands && !begins) lines.push(`${lines.pop()} ${line.trim()}`)
    else lines.push(line)
    isOpen = !stands
  }
  return lines.join('\n')
}
