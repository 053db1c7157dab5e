import { test } from 'vitest'
import { judgeClasses } from '../../src/collection/labels/judge-classes.js'
import { unitRows } from '../../src/numerics/lengths.js'
import { seededRandom } from '../../src/numerics/seeded-random.js'
import { createProducts } from '../../src/platform/node/create-products.js'
test('scale', { timeout: 590000 }, async () => {
  const [n, d, k] = [5000, 384, 10]
  const random = seededRandom(1)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const centres = Float32Array.from({ length: k * d }, normal)
  const labels = Int32Array.from({ length: n }, (_, i) => i % k)
  const rows = new Float32Array(n * d)
  for (let i = 0; i < n; i++) for (let j = 0; j < d; j++) rows[i * d + j] = centres[(i % k) * d + j]! + 3 * normal()
  await using products = createProducts()
  let last = performance.now()
  let what = ''
  const told = (name: string) => {
    if (name !== what) { console.log(what, ((performance.now() - last) / 1000).toFixed(2)); last = performance.now(); what = name }
  }
  const r = await judgeClasses({ rows: unitRows(rows, d), width: d, labels, classes: k }, { products, onProgress: told })
  told('end')
  console.log(r.votes.measures.accuracy, r.probe.measures.accuracy, r.probe.c, r.probe.tried.length, r.fewShot.length, r.probe.calibration.plain.error, r.probe.calibration.scaled.error, r.probe.temperature)
})
