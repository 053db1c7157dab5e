/** The command line in the test's own process, on real models and photos. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { DEFAULT_MODEL } from '../../src/hub/default-model.js'
import { describeModel } from '../../src/platform/node/describe-model.js'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { type Outcome, runInTest } from '../cli/run-in-test.js'

export interface Workplace extends Disposable {
  readonly path: string
  run(...args: string[]): Promise<Outcome>
  /** Gives the embeddings of an output of JSON lines by their paths, or of what a command writes. */
  rows(text: string): ReadonlyMap<string, readonly number[]>
  read(name: string): string
}

/** A new folder with a copy of each of these files and folders. */
export function workplaceWith(sources: Readonly<Record<string, string>>): Workplace {
  const path = mkdtempSync(join(tmpdir(), 'plumage-field-'))
  for (const [name, source] of Object.entries(sources)) {
    mkdirSync(join(path, name, '..'), { recursive: true })
    cpSync(source, join(path, name), { recursive: true })
  }
  const read = (name: string) => readFileSync(join(path, name), 'utf8')
  return {
    path,
    read,
    run: (...args) =>
      runInTest(args, { cwd: path, loadEncoder: loadFrom(path), describeModel: describeFrom(path) }),
    rows: (text) =>
      new Map(
        text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line))
          .map(({ path, embedding }) => [path, embedding]),
      ),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  }
}

/** A second run into an output of another identity has either made it anew, or left it alone and said so. */
export function expectNothingSilent(outcome: Outcome, output: string, before: string, fresh: string): void {
  if (outcome.code === 0) {
    expect(output).toBe(fresh)
    return
  }
  expect(outcome.code).toBe(2)
  expect(outcome.stderr).toContain('--restart')
  expect(output).toBe(before)
}

const loadFrom =
  (folder: string): typeof loadEncoder =>
  (model = DEFAULT_MODEL.name, options) =>
    loadEncoder(join(folder, model), options)

const describeFrom =
  (folder: string): typeof describeModel =>
  (model, ...rest) =>
    describeModel(join(folder, model), ...rest)
