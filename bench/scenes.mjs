/**
 * Measures how well scenes of films are found (`findScenes`): films are made by ffmpeg of its own sources and of the photos of examples/, with cuts at known
 * times. A cut counts as found where one is told no farther from it than one frame that is taken, or within the cross-fade that it is.
 *
 *     node bench/scenes.mjs [model, default models/small] [seconds from frame to frame, default 0.5] [--distances]
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const { cosineSimilarity, findScenes, loadEncoder, videoFrames } = {
  ...(await import(new URL('../dist/index.js', import.meta.url).href)),
  ...(await import(new URL('../dist/platform/node/index.js', import.meta.url).href)),
}
const [model = 'models/small', step = '0.5'] = process.argv.slice(2).filter((one) => !one.startsWith('--'))
const every = Number(step)
const showsDistances = process.argv.includes('--distances')
const RATE = 10
const SHOT = 4
const folder = mkdtempSync(join(tmpdir(), 'plumage-scenes-'))
const photo = (name) => fileURLToPath(new URL(`../examples/photos/${name}.jpg`, import.meta.url))
const ffmpeg = process.env.PLUMAGE_FFMPEG ?? 'ffmpeg'

/** Are inputs and filters of shots: photos are loops of one picture, of 448 x 320 behind their filter. */
const still = (name) => ({
  input: ['-loop', '1', '-framerate', `${RATE}`, '-t', `${SHOT}`, '-i', photo(name)],
  filter: 'scale=448:320:force_original_aspect_ratio=increase,crop=448:320',
})
const pan = (name) => ({
  ...still(name),
  filter: `scale=900:-1,crop=448:320:x='t*${Math.floor(452 / SHOT)}':y=100`,
})
const zoom = (name) => ({
  ...still(name),
  filter: `scale=w='448*(1+0.15*t)':h=-1:eval=frame,crop=448:320`,
})
const noisy = (name) => ({ ...still(name), filter: `${still(name).filter},noise=alls=60:allf=t` })
const shaky = (name) => ({
  ...still(name),
  filter: `scale=520:-1,crop=448:320:x='36+30*sin(7*t)':y='60+30*cos(9*t)'`,
})
/** A flash is of two frames, at a time at which one is taken. */
const flashing = (name) => ({
  ...still(name),
  filter: `${still(name).filter},drawbox=t=fill:color=white:enable='between(mod(t,2),1,1.15)'`,
})
const source = (text) => ({ input: ['-f', 'lavfi', '-t', `${SHOT}`, '-i', text], filter: 'scale=448:320' })

const NAMES = ['hat-1', 'shoes-1', 'pants-1', 't-shirt-1', 'hat-3', 'shoes-3', 'pants-3', 't-shirt-3']
const FILMS = {
  'photos, hard cuts': { shots: NAMES.map(still) },
  'slow pans over photos': { shots: NAMES.map(pan) },
  'zooms into photos': { shots: NAMES.map(zoom) },
  'a shaking camera': { shots: NAMES.map(shaky) },
  'photos in noise': { shots: NAMES.map(noisy) },
  'photos that flash': { shots: NAMES.map(flashing) },
  'one photo that flashes': { shots: [flashing('shoes-2')] },
  'one long pan': { shots: [pan('t-shirt-2')] },
  'one in noise': { shots: [noisy('hat-2')] },
  'things of one kind': { shots: ['hat-1', 'hat-2', 'hat-3', 'shoes-1', 'shoes-2', 'shoes-3'].map(still) },
  'cross-fades of a second': { shots: NAMES.map(still), fade: 1 },
  'cross-fades of two seconds': { shots: NAMES.map(still), fade: 2 },
  'test pictures': {
    shots: [
      source(`testsrc2=s=448x320:r=${RATE}`),
      source(`mandelbrot=s=448x320:r=${RATE}`),
      source(`smptebars=s=448x320:r=${RATE}`),
      source(`life=s=448x320:r=${RATE}:mold=10:ratio=0.1:death_color=#c83232:life_color=#00ff00`),
      source(`testsrc=s=448x320:r=${RATE}`),
    ],
  },
}

/** Gives the times of its cuts, as stretches: a hard one is a moment. */
function make(path, { shots, fade = 0 }) {
  const inputs = shots.flatMap(({ input }) => input)
  const plain = shots.map(
    ({ filter }, i) =>
      `[${i}:v]${filter},setsar=1,format=yuv420p,fps=${RATE},settb=1/${RATE},setpts=N[s${i}]`,
  )
  const cuts = shots.slice(1).map((_, i) => {
    const from = (i + 1) * (SHOT - fade)
    return { from, to: from + fade }
  })
  const names = shots.map((_, i) => `[s${i}]`).join('')
  const joined =
    fade === 0
      ? [`${names}concat=n=${shots.length}[out]`]
      : cuts.map(
          ({ from }, i) =>
            `${i === 0 ? '[s0]' : `[f${i}]`}[s${i + 1}]xfade=duration=${fade}:offset=${from}[${i === cuts.length - 1 ? 'out' : `f${i + 1}`}]`,
        )
  execFileSync(ffmpeg, [
    ...['-v', 'error', '-y', '-nostdin', ...inputs, '-filter_complex', [...plain, ...joined].join(';')],
    ...['-map', '[out]', '-r', `${RATE}`, '-c:v', 'libx264', '-crf', '20', '-pix_fmt', 'yuv420p', path],
  ])
  return cuts
}

async function embedded(encoder, path) {
  const times = []
  const rows = []
  const frames = async function* () {
    for await (const frame of videoFrames(path, { every })) {
      times.push(frame.seconds)
      yield frame
    }
  }
  for await (const { features, error } of encoder.encodeAll(frames())) {
    if (features === undefined) throw error
    rows.push(features.embedding)
  }
  const width = rows[0].length
  const embeddings = new Float32Array(rows.length * width)
  for (const [i, row] of rows.entries()) embeddings.set(row, i * width)
  return { times, rows, embeddings, width }
}

/** Each cut is found by one that is told at most; what else is told is wrong. */
function judge(cuts, told) {
  const left = [...told]
  let found = 0
  for (const { from, to } of cuts) {
    const at = left.findIndex((time) => time >= from - 1e-6 && time <= to + every + 1e-6)
    if (at < 0) continue
    left.splice(at, 1)
    found++
  }
  return { found, wrong: left.length }
}

const encoder = await loadEncoder(model)
const all = { cuts: 0, found: 0, wrong: 0 }
for (const [name, film] of Object.entries(FILMS)) {
  const path = join(folder, `${name.replaceAll(/\W+/g, '-')}.mp4`)
  const cuts = make(path, film)
  const { times, rows, embeddings, width } = await embedded(encoder, path)
  const told = findScenes(embeddings, width)
    .slice(1)
    .map(({ first }) => times[first])
  const { found, wrong } = judge(cuts, told)
  all.cuts += cuts.length
  all.found += found
  all.wrong += wrong
  console.log(`| ${name} | ${cuts.length} | ${found} | ${wrong} |`)
  if (!showsDistances) continue
  const distances = rows.slice(1).map((row, i) => 1 - cosineSimilarity(rows[i], row))
  console.log(distances.map((d, i) => `${times[i + 1].toFixed(1)}:${d.toFixed(2)}`).join(' '))
}
console.log(
  `| all | ${all.cuts} | ${all.found} | ${all.wrong} |\nprecision ${(all.found / Math.max(1, all.found + all.wrong)).toFixed(2)}, recall ${(all.found / all.cuts).toFixed(2)}`,
)
await encoder[Symbol.asyncDispose]()
rmSync(folder, { recursive: true })
