/** Walks through the commands of collections with one that lies in PostgreSQL: each works as with a folder, and none shows the password. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { LONG } from '../support/long.js'
import { MINI } from '../support/mini.js'
import { hasPgvector, PgvectorServer } from '../support/pgvector-server.js'
import { runInTest } from './run-in-test.js'

const EXAMPLES = join(import.meta.dirname, '../../examples/photos')
const SECRET = 'hush-hush'

describe.skipIf(!hasPgvector)('the commands take an address', () => {
  let server: PgvectorServer
  let folder: string
  let place: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'plumage-postgres-cli-'))
    cpSync(EXAMPLES, join(folder, 'photos'), { recursive: true })
    cpSync(join(folder, 'photos', 'hat-2.jpg'), join(folder, 'photos', 'hat-2-again.jpg'))
    server = await PgvectorServer.start()
    place = server.place('photos').replace('postgres@', `postgres:${SECRET}@`)
    expect(await run('index', 'photos', '-m', MINI, '--to', place)).toMatch(/has 13 photos: 13 added/)
  })
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  /** Gives what is printed. */
  async function run(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await runInTest(args, { cwd: folder, loadEncoder })
    expect(stdout + stderr).not.toContain(SECRET)
    if (code !== 0) throw new Error(`${args[0]} ended with ${code}: ${stderr}`)
    return stdout
  }
  const refused = (...args: string[]) =>
    run(...args).then(
      () => 'done',
      (error: Error) => error.message,
    )
  const inIt = (...args: string[]) => run(...args, '--in', place)

  test('index goes on, and says what it may not be asked', async () => {
    renameSync(join(folder, 'photos', 'hat-1.jpg'), join(folder, 'photos', 'renamed.jpg'))
    expect(await run('index', 'photos', '--to', place)).toMatch(/1 moved/)
    expect(await refused('index', 'photos', '--to', place, '-m', MINI, '--size', '56')).toMatch(
      /was made with/,
    )
    expect(await refused('search', 'a.jpg', '--in', server.place('none'))).toContain(
      `plumage index <folder of photos> --to '${server.place('none')}'`,
    )
    expect(await refused('search', 'a.jpg', '--in', 'postgres://h/db')).toContain('?collection=photos')
  })

  test('search gives what it gives in a folder, also by regions', async () => {
    await run('index', 'photos', '-m', MINI, '--to', 'folder.plumage')
    const asked = ['search', join('photos', 'shoes-1.jpg'), '-n', '5', '--where', "path like '%-%.jpg'"]
    expect(await inIt(...asked)).toEqual(await run(...asked, '--in', 'folder.plumage'))
    await run('index', 'photos', '--to', place, '--regions')
    expect(
      await inIt('search', join('photos', 'shoes-1.jpg'), '--box', '10%,10%,60%,80%', '-n', '3'),
    ).toMatch(/photos\//)
    expect(await run('collection', 'info', '--in', server.place('photos.regions'))).toMatch(/photos +\d+/)
  })

  test('duplicates are found, remembered, moved and brought back', async () => {
    expect(await inIt('duplicates')).toMatch(/copies 1: 2 photos/)
    await inIt('duplicates', '--different', 'photos/shoes-1.jpg', 'photos/shoes-2.jpg')
    await inIt('duplicates', '--move-to', 'moved')
    expect(existsSync(join(folder, 'moved'))).toBe(true)
    await inIt('duplicates', '--undo')
    expect(readdirSync(join(folder, 'photos'))).toContain('hat-2-again.jpg')
  })

  // They read rows as the commands above do, and what they make of them has nothing to do with where rows lie.
  test.runIf(LONG)('groups, maps, outliers, flaws, labels and leakage', async () => {
    expect(await inIt('clusters', '-k', '3')).not.toBe('')
    await inIt('map', '-o', 'map.html')
    expect(readFileSync(join(folder, 'map.html'), 'utf8')).not.toContain(SECRET)
    await inIt('outliers')
    await inIt('quality')
    await inIt('label', '--new', '--set', 'shoe', 'photos/shoes-1.jpg', 'photos/shoes-2.jpg')
    await inIt('label', '--new', '--set', 'hat', 'photos/renamed.jpg', 'photos/hat-2.jpg')
    await inIt('label-errors', '--folds', '2')
    expect(await inIt('label', '--suggest')).not.toContain(SECRET)
    expect(await inIt('leakage', '--with', 'folder.plumage')).toMatch(/shoes-1\.jpg/)
  })

  test('export and import bring it out and in again', async () => {
    for (const name of ['a.parquet', 'a.jsonl', 'a.safetensors'])
      expect(await inIt('collection', 'export', name)).toMatch(/^13 rows/)
    expect(await run('collection', 'import', 'a.parquet', '--to', server.place('again'))).toMatch(/^13 added/)
    expect(await run('collection', 'import', 'a.parquet', '--to', server.place('again'))).toMatch(
      /13 replaced/,
    )
    const asked = ['search', join('photos', 'shoes-1.jpg'), '-n', '5']
    expect(await run(...asked, '--in', server.place('again'))).toEqual(await inIt(...asked))
  })

  test('info, check, compact, root and remove look after it', async () => {
    const info = await inIt('collection', 'info')
    expect(info).toMatch(/photos +13: 13 embedded/)
    expect(info).toMatch(/rows \d+\.\d MB/)
    expect(await inIt('collection', 'check', '--deep')).toBe('13 rows are as they should be.\n')
    expect(await inIt('collection', 'compact')).toMatch(/MB now\n$/)
    expect(await inIt('collection', 'compact', '--rewrite')).toMatch(/MB now\n$/)
    renameSync(join(folder, 'photos'), join(folder, 'elsewhere'))
    expect(await inIt('collection', 'root', 'photos', 'elsewhere')).toMatch(/13 are there as they were/)
    expect(await refused('collection', 'remove', place)).toMatch(/has 13 photos.*--yes/)
    expect(await run('collection', 'remove', place, '--yes')).toMatch(/is removed/)
    expect(await server.ask(`select nspname from pg_namespace where nspname like 'photos%'`)).toEqual([])
  })
})
