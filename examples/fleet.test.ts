/** Runs what `examples/fleet` shows as far as a machine without containers can: each service's command is a process, and where a name of a service stands, its address. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { RedisServer, redisIsMissing } from '../test/support/redis-server.js'
import { S3_KEYS, startS3Server, versitygw } from '../test/support/s3-server.js'

const FLEET = join(import.meta.dirname, 'fleet')
const MAIN = join(import.meta.dirname, '../dist/bundle/node/cli.js')
const run = promisify(execFile)
const read = (name: string) => parse(readFileSync(join(FLEET, name), 'utf8'), { merge: true })

interface Service {
  readonly command: readonly string[]
  readonly deploy?: { readonly replicas: number }
}

test.skipIf(redisIsMissing !== null || versitygw === undefined)(
  'the services of the compose file do a job together, each row once',
  async () => {
    const { services } = read('compose.yaml') as { services: Record<'queue' | 'create' | 'worker', Service> }
    expect(services.queue.command.join(' ')).toContain('--maxmemory-policy noeviction')
    await using queue = await RedisServer.start()
    await using bucket = await startS3Server()
    await bucket.makeBucket('plumage')
    const env = { ...process.env, ...bucket.env, ...S3_KEYS }
    const plumage = async (words: readonly string[]) => {
      const here = words.map((word) =>
        word
          .replace('redis://queue:6379', queue.address)
          .replace('0.0.0.0:9464', '127.0.0.1:0')
          .replace(/^\/photos$/, join(import.meta.dirname, 'photos')),
      )
      return await run(process.execPath, [MAIN, ...here], { env })
    }
    await plumage(services.create.command)
    const workers = Array.from({ length: services.worker.deploy?.replicas ?? 0 }, () =>
      plumage(services.worker.command),
    )
    expect(workers).toHaveLength(3)
    const lines = (await Promise.all(workers)).flatMap(({ stderr }) => stderr.trim().split('\n'))
    const logged = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
    const committed = logged.filter(({ event }) => event === 'partCommitted')
    expect(committed.reduce((sum, { rows }) => sum + rows, 0)).toBe(12)
    const { stdout } = await plumage(['job', 'prove', 's3://plumage/job', '--deep'])
    expect(stdout).toContain('Proven: each of the 12 rows is in the 3 parts exactly once')
  },
)

test('the Kubernetes manifest asks for health where the worker answers, and starts the command that is tried here', () => {
  const { spec } = read('kubernetes.yaml').spec.template
  const [container] = spec.containers
  const { services } = read('compose.yaml') as { services: { worker: Service } }
  expect(container.args).toEqual(services.worker.command)
  expect(container.ports).toEqual([{ name: 'metrics', containerPort: 9464 }])
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'])
    expect(container[probe].httpGet).toMatchObject({
      port: 'metrics',
      path: expect.stringMatching(/^\/(live|ready)z$/),
    })
})
