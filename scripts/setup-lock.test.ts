/** Tries the lock of the set-up between real processes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const lockModule = new URL('setup-lock.mjs', import.meta.url).href
let folder: string
let children: ChildProcess[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumage-lock-'))
  children = []
})
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Starts a process that holds the lock for so long, and writes when it begins and ends to the file `log`. */
function holder(name: string, milliseconds: number): ChildProcess {
  const program = `
    import { appendFileSync } from 'node:fs'
    import { withSetupLock } from ${JSON.stringify(lockModule)}
    const note = (text) => appendFileSync('log', text + ' ')
    await withSetupLock('.', () => {}, async () => {
      note('${name}<')
      await new Promise((resolve) => setTimeout(resolve, ${milliseconds}))
      note('>${name}')
    })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: folder,
    stdio: 'ignore',
  })
  children.push(child)
  return child
}

const log = () =>
  existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8').trim().split(' ') : []

test('of several processes each holds it alone, and nothing is left', async () => {
  const names = ['a', 'b', 'c', 'd']
  await Promise.all(names.map((name) => once(holder(name, 50), 'close')))
  const notes = log()
  expect(notes).toHaveLength(8)
  // Each begin is followed by its own end.
  expect(notes.join(' ')).toMatch(/^((\w)< >\2 ?){4}$/)
  expect(readdirSync(folder)).toEqual(['log'])
})

test('a killed owner is followed at once, by one of those that wait', async () => {
  const killed = holder('killed', 60_000)
  await expect.poll(log).toEqual(['killed<'])
  const waiting = [holder('x', 20), holder('y', 20)]
  killed.kill('SIGKILL')
  const started = performance.now()
  await Promise.all(waiting.map((child) => once(child, 'close')))
  expect(performance.now() - started).toBeLessThan(10_000)
  expect(log().join(' ')).toMatch(/^killed< (x< >x y< >y|y< >y x< >x)$/)
  expect(existsSync(join(folder, 'setup.lock'))).toBe(false)
})

test('a living owner is waited for, and so is one of another host', async () => {
  for (const owner of [
    { pid: process.pid, host: hostname() },
    { pid: 2 ** 22, host: 'elsewhere' },
  ]) {
    writeFileSync(join(folder, 'setup.lock'), JSON.stringify(owner))
    const child = holder('late', 0)
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(log()).toEqual([])
    rmSync(join(folder, 'setup.lock'))
    await once(child, 'close')
    expect(log()).toEqual(['late<', '>late'])
    rmSync(join(folder, 'log'))
  }
})
