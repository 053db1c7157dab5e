/**
 * Measures how long a prefix of many objects is listed, by versitygw on this machine. Keys are dated (`photos/2015/01/01/IMG_0000000.jpg`), over ten years, a folder for each day: in one folder with a
 * million files that server reads all of them for each page.
 *
 *     node bench/job-listing.mjs [objects] [folder]      # 1,000,000; a folder that is named is kept, and taken as it is where it has the bucket `dated` already
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { dist } from './dist.mjs'
import { inWords, recordJobs, watchLoad, watchMemory } from './record-jobs.mjs'

const DAYS = 3650
const KEYS = { AWS_ACCESS_KEY_ID: 'plumage-bench', AWS_SECRET_ACCESS_KEY: 'a-secret-of-benches' }
const [count = '1000000', given] = process.argv.slice(2)
const objects = Number(count)
const folder = given ?? (await mkdtemp(join(tmpdir(), 'plumage-listing-')))
try {
  if (!existsSync(join(folder, 'dated'))) await makeObjects(join(folder, 'dated'))
  await measure()
} finally {
  if (given === undefined) await rm(folder, { recursive: true, force: true })
}

async function makeObjects(bucket) {
  const perDay = Math.ceil(objects / DAYS)
  for (let day = 0; day * perDay < objects; day++) {
    const date = new Date(Date.UTC(2015, 0, 1 + day)).toISOString().slice(0, 10).split('-')
    const place = join(bucket, 'photos', ...date)
    await mkdir(place, { recursive: true })
    const some = Array.from(
      { length: Math.min(perDay, objects - day * perDay) },
      (_, at) => day * perDay + at,
    )
    await Promise.all(some.map((at) => writeFile(join(place, `IMG_${String(at).padStart(7, '0')}.jpg`), '')))
  }
}

async function measure() {
  const { openStorage } = await dist('platform/node/storage/open-storage.js')
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  const args = [
    '--port',
    `127.0.0.1:${port}`,
    '--access',
    KEYS.AWS_ACCESS_KEY_ID,
    '--secret',
    KEYS.AWS_SECRET_ACCESS_KEY,
  ]
  const server = spawn(findVersitygw(), [...args, '--keep-alive', '--quiet', 'posix', folder], {
    stdio: 'ignore',
  })
  try {
    while ((await fetch(endpoint).catch(() => null)) === null) await sleep(20)
    const env = {
      ...KEYS,
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: 'us-east-1',
      NO_PROXY: '127.0.0.1',
      HOME: '/nonexistent',
    }
    const storage = await openStorage('s3://dated', { env })
    const load = watchLoad()
    const memory = watchMemory()
    const before = process.cpuUsage()
    const started = performance.now()
    let found = 0
    let last = ''
    for await (const { key } of storage.list({ prefix: 'photos/' })) {
      if (key <= last) throw new Error(`${key} came after ${last}`)
      last = key
      found++
    }
    const took = (performance.now() - started) / 1000
    const { user, system } = process.cpuUsage(before)
    if (found !== objects) throw new Error(`${found} of ${objects} objects were listed`)
    const { count: counted, seconds, memory: remembered } = inWords
    recordJobs(
      'a listing',
      [
        {
          what: `listing of ${counted(objects)} objects with dated keys, up to 32 requests at once, versitygw on the same machine`,
          figure: `${seconds(took)} by the clock, ${seconds((user + system) / 1e6)} of processor beside the server's; ${remembered(memory())}`,
        },
      ],
      load(),
    )
  } finally {
    server.kill()
  }
}

function findVersitygw() {
  const built = fileURLToPath(new URL('../.plumage/bin', import.meta.url))
  const places = [built, ...(process.env.PATH ?? '').split(delimiter)].map((place) =>
    join(place, 'versitygw'),
  )
  const found = places.find((path) => existsSync(path))
  if (found === undefined) throw new Error('There is no versitygw in .plumage/bin or on the PATH.')
  return found
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
