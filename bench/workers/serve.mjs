/**
 * Makes a system a process that is measured: it makes its first embedding, says so, and then runs whenever a line asks it to.
 *
 * The protocol is that of peers/serve.py: the task comes as JSON in the first argument. Answers are lines of JSON on stdout: first `version`, and
 * `embedding` of the whole batch as base64 of float32; then, for each line `turn SECONDS`, the `seconds` of each pass; for `end`, `peakBytes`.
 */
import { readSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'

/** A pass that is shorter finds the caches full of the other systems' data. */
const SHORT_PASS_SECONDS = 0.5

export const task = JSON.parse(process.argv[2])

/** Reads float32 [B, 3, side, side], normalised. */
export async function readPixels() {
  const { batch, side, pixels } = task
  const values = new Float32Array(batch * 3 * side * side)
  const file = await open(pixels)
  readSync(file.fd, new Uint8Array(values.buffer))
  await file.close()
  return values
}

/**
 * @param {string} version
 * @param {() => Promise<Float32Array>} run makes one pass and returns the embeddings [B, D]
 */
export async function serve(version, run) {
  const started = performance.now()
  const embedding = await run()
  let last = (performance.now() - started) / 1000
  const bytes = Buffer.from(embedding.buffer, embedding.byteOffset, embedding.byteLength)
  answer({ version, embedding: bytes.toString('base64') })
  for await (const line of createInterface({ input: process.stdin })) {
    const [command, budget] = line.split(' ')
    if (command === 'end') {
      answer({ peakBytes: process.resourceUsage().maxRSS * 1024 })
      return
    }
    const seconds = []
    if (last < SHORT_PASS_SECONDS) await run()
    for (let sum = 0; sum < Number(budget); sum += last) {
      const begun = performance.now()
      await run()
      last = (performance.now() - begun) / 1000
      seconds.push(last)
    }
    answer({ seconds })
  }
}

function answer(fields) {
  process.stdout.write(`${JSON.stringify(fields)}\n`)
}
