/**
 * Measures how long pictures of a folder of photos take from start to end, process start and packing of weights included: principal components as colours, and attention of the class
 * token, beside transformers with scikit-learn. Prints a table in Markdown.
 *
 *     npm run bench -- --pictures                                        # 64 photos of a megapixel, S/14 at 224 and 518
 *     npm run bench -- --pictures --kinds pca --sizes 518 --precisions bfloat16 --count 16
 *
 * Both read JPEG, squash each photo to the network's size, and write a PNG as large as the photo. All photos share their colours.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { measured } from './folder/measured.mjs'
import { BENCH_FOLDER, folderOfPhotos, KINDS } from './folder/photos.mjs'
import { withLock } from './lock.mjs'
import { describeMachine } from './machine.mjs'
import { pythonPath } from './systems.mjs'

const { values: options } = parseArgs({
  options: {
    kinds: { type: 'string', default: 'pca,attention' },
    sizes: { type: 'string', default: '224,518' },
    precisions: { type: 'string', default: 'float32,bfloat16' },
    count: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '2' },
    /** Names a file that is locked (by flock) while a system is measured, for machines on which others measure too. */
    lock: { type: 'string' },
  },
})
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const CLI = here('../dist/bundle/node/cli.js')
/** Both read the weights that transformers saved. */
const MODEL = `${BENCH_FOLDER}pictures-model`
const OUTPUT = `${BENCH_FOLDER}pictures`
const count = Number(options.count)

const { paths } = await folderOfPhotos('screen', count)
const list = `${BENCH_FOLDER}pictures.txt`
writeFileSync(list, paths.join('\n'))
if (!existsSync(MODEL)) await measured([pythonPath, here('peers/write_dinov2.py'), MODEL])
console.log(
  `${count} JPEG of ${KINDS.screen.megapixels} megapixels, ViT-S/14 with four registers, least of ${options.rounds} rounds, seconds\n`,
)
console.log('| picture | size | precision | Plumage | transformers, scikit-learn | times as fast |')
console.log('| --- | --- | --- | --- | --- | --- |')
for (const kind of options.kinds.split(','))
  for (const side of options.sizes.split(','))
    for (const precision of options.precisions.split(',')) await runCase(kind, side, precision)
const machine = describeMachine()
console.log(
  `\n${machine.cpu}, ${machine.cores} cores, ${machine.flags}; ${machine.system}, Node ${machine.node}`,
)

async function runCase(kind, side, precision) {
  const systems = [
    [
      ...[process.execPath, CLI, 'picture', kind, ...paths, '--output', OUTPUT, '--model', MODEL],
      ...[
        '--recipe',
        'birder',
        '--size',
        side,
        '--precision',
        precision,
        '--layout',
        'alone',
        '--no-caption',
      ],
      ...['--side', `${KINDS.screen.width}`],
    ],
    [pythonPath, here('peers/pictures_peer.py'), MODEL, kind, side, precision, list, OUTPUT],
  ]
  const least = systems.map(() => Number.POSITIVE_INFINITY)
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const [index, command] of systems.entries()) {
      rmSync(OUTPUT, { recursive: true, force: true })
      mkdirSync(OUTPUT, { recursive: true })
      const { wall } = await withLock(options.lock, () => measured(command))
      least[index] = Math.min(least[index], wall)
    }
  }
  const [ours, theirs] = least
  const cells = [kind, side, precision, ours.toFixed(2), theirs.toFixed(2), (theirs / ours).toFixed(2)]
  console.log(`| ${cells.join(' | ')} |`)
}
