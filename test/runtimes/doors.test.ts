/**
 * Importing a door of the package does no work: it opens no file but modules, loads no addon, starts no thread, and leaves no timer, handle or
 * listener behind. Whoever imports one function must not pay for all the others.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const repository = fileURLToPath(new URL('../../', import.meta.url))

interface Work {
  readonly files: readonly string[]
  readonly addons: readonly string[]
  readonly threads: number
  readonly resources: readonly string[]
  readonly listeners: readonly string[]
}

const NO_WORK: Work = { files: [], addons: [], threads: 0, resources: [], listeners: [] }

/** Lists every export of the package and the command line, which `main` alone connects with the world. */
function doors(): readonly string[] {
  const { exports } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
    exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  }
  const exported = Object.values(exports).flatMap((entry) =>
    typeof entry === 'string' ? [] : Object.values(entry).filter((path) => path.endsWith('.js')),
  )
  return [...exported, 'dist/cli/program.js'].map((path) => join(repository, path))
}

async function importAll(modules: readonly string[]): Promise<Readonly<Record<string, Work>>> {
  const child = fileURLToPath(new URL('import-doors.mjs', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [child, ...modules], { timeout: 60_000 })
  return JSON.parse(stdout) as Record<string, Work>
}

test('no door does work when it is imported', async () => {
  const modules = doors()
  expect(modules.length).toBeGreaterThan(4)
  expect(
    modules.filter((path) => !existsSync(path)),
    'not built',
  ).toEqual([])
  expect(await importAll(modules)).toEqual(Object.fromEntries(modules.map((path) => [path, NO_WORK])))
})

test('a module that does all of that is found out', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plumage-doors-'))
  try {
    const busy = join(folder, 'busy.mjs')
    writeFileSync(
      busy,
      `import { readFileSync } from 'node:fs'
       import { readFile } from 'node:fs/promises'
       import { createRequire } from 'node:module'
       import { Worker } from 'node:worker_threads'
       readFileSync(import.meta.filename.replace('busy.mjs', 'one.txt'))
       await readFile(import.meta.filename.replace('busy.mjs', 'two.txt'))
       try { createRequire(import.meta.url)('./three.node') } catch {}
       new Worker('setInterval(() => {}, 1000)', { eval: true })
       setInterval(() => {}, 1000)
       process.on('exit', () => {})`,
    )
    for (const name of ['one.txt', 'two.txt', 'three.node']) writeFileSync(join(folder, name), 'text')
    const { [busy]: work } = await importAll([busy])
    const files = work?.files.join()
    expect(files).toMatch(/one\.txt/)
    expect(files).toMatch(/two\.txt/)
    expect(work?.addons).toEqual([join(folder, 'three.node')])
    if (existsSync('/proc/self/task')) expect(work?.threads).toBeGreaterThan(0)
    expect(work?.resources).toContain('Timeout')
    expect(work?.listeners).toContain('exit')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
