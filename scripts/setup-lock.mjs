/**
 * Lets one set-up at a time work in a clone. The lock is a file that its owner touches while it works; one whose owner is gone is taken over.
 * Whether it is still touched decides, so that owners in other containers count too; an owner on this machine is also looked for.
 */
import { randomUUID } from 'node:crypto'
import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const TOUCH_MS = 1000
/** A lock that is untouched for so long counts as abandoned; it is many times TOUCH_MS, since a loaded machine may be late. */
const ABANDONED_MS = 20_000
const LOOK_MS = 100

/**
 * Runs `work` while no other process does so with the same folder.
 *
 * @template Result
 * @param {string} folder
 * @param {(line: string) => void} log is told once when there is somebody to wait for
 * @param {() => Promise<Result>} work
 * @returns {Promise<Result>}
 */
export async function withSetupLock(folder, log, work) {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'setup.lock')
  const own = JSON.stringify({ pid: process.pid, host: hostname(), id: randomUUID() })
  await acquire(path, own, log)
  const touching = setInterval(() => touch(path), TOUCH_MS)
  try {
    return await work()
  } finally {
    clearInterval(touching)
    if (readOrNull(path)?.text === own) rmSync(path, { force: true })
  }
}

async function acquire(path, own, log) {
  let seen = { text: '', touched: 0, since: 0 }
  let told = false
  while (true) {
    try {
      writeFileSync(path, own, { flag: 'wx' })
      return
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const there = readOrNull(path)
    if (there !== null) {
      if (there.text !== seen.text || there.touched !== seen.touched) seen = { ...there, since: Date.now() }
      if (ownerIsGone(there.text) || Date.now() - seen.since > ABANDONED_MS) {
        removeAbandoned(path, there.text)
        continue
      }
      if (!told) log('Another set-up is at work in this folder: waiting for it ...')
      told = true
    }
    await sleep(LOOK_MS)
  }
}

/** This is known for owners on this machine only. An empty file is one that is being written. */
function ownerIsGone(text) {
  try {
    const { pid, host } = JSON.parse(text)
    if (host !== hostname()) return false
    process.kill(pid, 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}

/** Moves the lock aside before it is looked at again: if somebody was quicker, what was moved is their new lock, and it is put back. */
function removeAbandoned(path, text) {
  const aside = `${path}.${randomUUID()}`
  try {
    renameSync(path, aside)
    if (readFileSync(aside, 'utf8') !== text) linkSync(aside, path)
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error
  } finally {
    rmSync(aside, { force: true })
  }
}

function readOrNull(path) {
  try {
    return { text: readFileSync(path, 'utf8'), touched: statSync(path).mtimeMs }
  } catch (error) {
    if (error.code === 'ENOENT') return null
    throw error
  }
}

function touch(path) {
  try {
    utimesSync(path, new Date(), new Date())
  } catch {
    // It was taken over while this process slept for long (a laptop's lid): the work is finished all the same.
  }
}
