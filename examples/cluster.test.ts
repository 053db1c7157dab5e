/** Runs what `examples/cluster` shows, as far as one machine can: in place of Slurm's and Kubernetes' schedulers the test starts the tasks, each with what those would tell it. */
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isRecord, type PlainRecord, type PlainValue } from '../src/plain-value.js'

const EXAMPLES = resolve('examples/cluster')
const MAIN = resolve('dist/bundle/node/cli.js')
const run = promisify(execFile)

/** Has photos, and the programs that a node of a cluster would have. */
let folder: string
let env: NodeJS.ProcessEnv
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumage-cluster-'))
  mkdirSync(join(folder, 'bin'))
  program('plumage', `exec "${process.execPath}" "${MAIN}" "$@"`)
  program('srun', 'exec "$@"')
  cpSync(resolve('examples/photos'), join(folder, 'photos'), { recursive: true })
  env = { ...process.env, PATH: `${join(folder, 'bin')}${delimiter}${process.env.PATH}` }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function program(name: string, script: string): void {
  const path = join(folder, 'bin', name)
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
}

async function shell(script: string, more: NodeJS.ProcessEnv = {}): Promise<string> {
  return (await run('bash', ['-c', script], { cwd: folder, env: { ...env, ...more } })).stdout
}

const merged = async (parts: string, output: string) => await shell(`plumage merge ${parts} -o ${output}`)

test('the tasks of the Slurm array make parts that merge takes for the whole', async () => {
  const script = join(EXAMPLES, 'slurm.sh')
  const told = (index: number) => ({
    SLURM_ARRAY_TASK_ID: String(index),
    SLURM_ARRAY_TASK_COUNT: '3',
    SLURM_CPUS_PER_TASK: '1',
  })
  for (const index of [2, 0, 1]) await shell(`bash ${script} photos out`, told(index))
  expect(await merged('out/part-*.parquet', 'slurm.parquet')).toMatch(
    /^slurm\.parquet has 12 rows of 3 shards, of 12 inputs;/,
  )
  // A task alone is told how many there are.
  rmSync(join(folder, 'out/part-1.parquet'))
  await expect(merged('out/part-0.parquet out/part-2.parquet', 'part.parquet')).rejects.toThrow(
    'Shard 1/3 is missing',
  )
  await shell(`bash ${script} photos out`, { ...told(1), SLURM_ARRAY_TASK_COUNT: '1', SHARDS: '3' })
  expect(await merged('out/part-*.parquet', 'slurm.parquet')).toContain('as it was already')
  // What Slurm itself reads stands before all commands.
  const lines = readFileSync(script, 'utf8').split('\n')
  const commands = lines.findIndex((line) => line !== '' && !line.startsWith('#'))
  expect(lines.slice(commands).join('\n')).not.toContain('#SBATCH')
})

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0

/** kubectl reads the manifest once as it is, and once into the types that the server has. */
function manifest(args: readonly string[]): PlainRecord {
  const text = execFileSync(
    'kubectl',
    [...args, '--local', '-f', join(EXAMPLES, 'k8s-indexed-job.yaml'), '-o', 'json'],
    { encoding: 'utf8' },
  )
  const read: PlainValue = JSON.parse(text)
  if (!isRecord(read)) throw new Error('the manifest is no object')
  return read
}

test.skipIf(!hasKubectl)(
  'each field of the Kubernetes manifest is one that a Job has (needs kubectl)',
  () => {
    const asItIs = manifest(['annotate', 'tried=yes'])
    const typed = manifest(['set', 'image', 'embed=another'])
    const expected = JSON.stringify(asItIs.spec).replace(/"registry[^"]*"/, '"another"')
    expect(typed).toMatchObject({ apiVersion: 'batch/v1', kind: 'Job', spec: JSON.parse(expected) })
  },
)

test.skipIf(!hasKubectl)(
  'the pods of the Job make parts that merge takes for the whole (needs kubectl)',
  async () => {
    const { spec } = manifest(['annotate', 'tried=yes']) as unknown as {
      readonly spec: {
        readonly completions: number
        readonly template: {
          readonly spec: {
            readonly containers: readonly {
              readonly command: readonly string[]
              readonly args: readonly string[]
              readonly env: readonly { readonly name: string; readonly value: string }[]
            }[]
          }
        }
      }
    }
    const [container] = spec.template.spec.containers
    if (container === undefined) throw new Error('the pod has no container')
    const told = Object.fromEntries(container.env.map(({ name, value }) => [name, value]))
    expect(told.SHARDS).toBe(String(spec.completions))
    const [command = '', ...words] = [...container.command, ...container.args]
    for (const index of ['0', '1']) {
      const of = { ...told, SHARDS: '2', PHOTOS: 'photos', OUTPUT: 'pods', JOB_COMPLETION_INDEX: index }
      await run(command, words, { cwd: folder, env: { ...env, ...of } })
    }
    expect(await merged('pods/part-*.parquet', 'pods.parquet')).toMatch(/has 12 rows of 2 shards/)
  },
)

const hasPython = spawnSync('python3', ['--version']).status === 0

/** Stands for Spark: two partitions, of which each is piped through a process of its own, as `RDD.pipe` does it. */
const PYSPARK = `
import os, shlex, subprocess
class RDD:
    def __init__(self, parts): self.parts = parts
    def toJSON(self): return self
    def pipe(self, command, env=None, checkCode=False):
        out = []
        for part in self.parts:
            done = subprocess.run(shlex.split(command), input=part, capture_output=True, text=True)
            if checkCode and done.returncode != 0: raise Exception("Pipe function exited with error code %d" % done.returncode)
            out.append(done.stdout)
        return RDD(out)
    def saveAsTextFile(self, target):
        os.mkdir(target)
        for i, part in enumerate(self.parts): open("%s/part-%05d" % (target, i), "w").write(part)
class SparkSession:
    class builder:
        @staticmethod
        def appName(name): return SparkSession.builder
        @staticmethod
        def getOrCreate(): return SparkSession()
    @property
    def read(self): return self
    def json(self, source):
        lines = open(source).read().splitlines(keepends=True)
        return RDD(["".join(lines[::2]), "".join(lines[1::2])])
    def stop(self): pass
`

test.skipIf(!hasPython)(
  'rows that Spark pipes come back with their other columns, those without a photo too (needs python3)',
  async () => {
    const lines = ['photos/hat-1.jpg', 'gone.jpg', 'photos/hat-2.jpg'].map((path, id) =>
      JSON.stringify({ id, path }),
    )
    writeFileSync(join(folder, 'photos.json'), lines.map((line) => `${line}\n`).join(''))
    mkdirSync(join(folder, 'pyspark'))
    writeFileSync(join(folder, 'pyspark/__init__.py'), '')
    writeFileSync(join(folder, 'pyspark/sql.py'), PYSPARK)
    await shell(`python3 ${join(EXAMPLES, 'spark_embed.py')} photos.json answers`, { PYTHONPATH: folder })
    const answers = readdirSync(join(folder, 'answers')).flatMap((name) =>
      readFileSync(join(folder, 'answers', name), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    )
    expect(answers.map(({ id, error, embedding }) => [id, error?.code ?? embedding.length > 100])).toEqual([
      [0, true],
      [2, true],
      [1, 'not-found'],
    ])
  },
)

test('the commands of the text run as they stand there', async () => {
  const text = readFileSync(join(EXAMPLES, 'README.md'), 'utf8')
  const commands = [...text.matchAll(/^ {4}((?:plumage|seq) .*?)(?: {2,}#.*)?$/gm)].map(
    ([, command = '']) => command,
  )
  expect(commands).toHaveLength(5)
  for (const command of commands.slice(0, 3)) await shell(command)
  expect(await shell(commands[3] ?? '')).toMatch(/^all\.parquet has 12 rows of 3 shards/)
  // Fewer processes do for a test.
  await shell((commands[4] ?? '').replace('15', '1').replace('/16', '/2'))
  expect(await merged('part-?.jsonl', 'all.jsonl')).toMatch(/has 12 rows of 2 shards/)
  for (const [, name = ''] of text.matchAll(/\]\(([^)]+)\)/g))
    expect(existsSync(join(EXAMPLES, name))).toBe(true)
})
