/** Finds out whether a server can keep a collection, and makes and reads the schema that is one: four tables, and the types of pgvector. */
import { CollectionError } from '../../../collection/collection-error.js'
import type { About } from '../../../collection/store.js'
import { isRecord, parseJsonOrNull } from '../../../plain-value.js'
import type { PostgresAddress } from './postgres-address.js'
import type { Ask, Connections } from './postgres-connections.js'
import { createTable, type VectorType } from './postgres-rows.js'
import { quoted } from './postgres-sql.js'

/** Are ours: a schema may hold tables of others beside them. */
export const TABLES = ['photos', 'collection', 'logs', 'files']
const OLDEST_SERVER = 14
const OLDEST_EXTENSION = [0, 8]

/** Throws `CollectionError` `unavailable` for a server that is too old, or whose texts are not in UTF-8. */
export async function checkServer(connections: Connections, label: string): Promise<void> {
  const [[version, encoding] = []] = await connections.read(
    `select current_setting('server_version'), current_setting('server_encoding')`,
  )
  if (Number.parseInt(version ?? '', 10) < OLDEST_SERVER)
    throw new CollectionError(
      'unavailable',
      `${label}: the server is PostgreSQL ${version}; ${OLDEST_SERVER} or later is needed.`,
    )
  if (encoding !== 'UTF8')
    throw new CollectionError(
      'unavailable',
      `${label}: the database is in ${encoding}; one in UTF8 is needed (createdb -E UTF8 -T template0).`,
    )
}

/** Gives the schema of pgvector, in quotes. Throws `CollectionError` `unavailable`, `forbidden`. */
export async function extensionOf(ask: Ask, label: string, creates: boolean): Promise<string> {
  const find = () =>
    ask(
      `select extversion, nspname from pg_extension e join pg_namespace n on n.oid = extnamespace where extname = 'vector'`,
    )
  let [found] = await find()
  if (found === undefined && creates) {
    await createExtension(ask, label)
    ;[found] = await find()
  }
  if (found === undefined)
    throw new CollectionError(
      'damaged',
      `${label}: the extension vector is gone. Run in its database: CREATE EXTENSION vector`,
    )
  const [version = '', schema] = found
  const [major = 0, minor = 0] = String(version).split('.').map(Number)
  const [wantedMajor = 0, wantedMinor = 0] = OLDEST_EXTENSION
  if (major < wantedMajor || (major === wantedMajor && minor < wantedMinor))
    throw new CollectionError(
      'unavailable',
      `${label}: pgvector is ${version} there; ${OLDEST_EXTENSION.join('.')} or later is needed. Install it on the server, then run in the database: ALTER EXTENSION vector UPDATE`,
    )
  return quoted(String(schema))
}

async function createExtension(ask: Ask, label: string): Promise<void> {
  const [available] = await ask(`select default_version from pg_available_extensions where name = 'vector'`)
  if (available === undefined)
    throw new CollectionError(
      'unavailable',
      `${label}: the server has no pgvector. Install it there (Debian and Ubuntu: apt install postgresql-<version>-pgvector; else https://github.com/pgvector/pgvector), then run in the database: CREATE EXTENSION vector`,
    )
  try {
    await ask('create extension vector')
  } catch (error) {
    if (
      (error as { readonly code?: string }).code !== 'forbidden' &&
      (error as { readonly code?: string }).code !== '42501'
    )
      throw error
    throw new CollectionError(
      'forbidden',
      `${label}: this user may not add pgvector to the database. Have its administrator run there: CREATE EXTENSION vector`,
      { cause: error },
    )
  }
}

/** Says how embeddings are kept: in halves where the model gives these. */
export async function vectorTypeOf(ask: Ask, extension: string, dtype: About['dtype']): Promise<VectorType> {
  const plain = dtype === 'float16' ? 'halfvec' : 'vector'
  const name = `${extension}.${plain}`
  const [[oid] = []] = await ask('select $1::regtype::oid', [name])
  return { name, oid: Number(oid), send: `${name}_send` }
}

/** Tells whether there is a collection at this address. */
export async function hasCollection(ask: Ask, { collection }: PostgresAddress): Promise<boolean> {
  const [[found] = []] = await ask('select to_regclass($1)', [`${quoted(collection)}.collection`])
  return found !== null
}

/** Throws `CollectionError` `not-found`, `damaged`. */
export async function readAbout(ask: Ask, address: PostgresAddress): Promise<About> {
  const { label, collection } = address
  if (!(await hasCollection(ask, address)))
    throw new CollectionError(
      'not-found',
      `There is no collection ${label}. Make it: plumage index <folder of photos> --to '${label}'`,
    )
  const [[text] = []] = await ask(`select about from ${quoted(collection)}.collection`)
  const found = parseJsonOrNull(text ?? '')
  if (isRecord(found) && found.format === 1 && isRecord(found.identity) && isRecord(found.roots))
    return found as unknown as About
  const why =
    isRecord(found) && found.format !== 1
      ? `its format is ${JSON.stringify(found.format)}, expected 1`
      : 'it does not say what it should'
  throw new CollectionError('damaged', `The table collection of ${label} cannot be used: ${why}.`)
}

/** Makes the schema and its tables. An empty schema may be there: who may not make one is given one. Throws `CollectionError` `exists` where it holds anything. */
export async function makeTables(
  ask: Ask,
  address: PostgresAddress,
  about: About,
  type: VectorType,
): Promise<void> {
  const schema = quoted(address.collection)
  const [[isThere] = []] = await ask('select to_regnamespace($1)', [schema])
  if (isThere === null) await ask(`create schema ${schema}`)
  const [[first] = []] = await ask(
    `select relname from pg_class where relnamespace = to_regnamespace($1) order by relname limit 1`,
    [schema],
  )
  if (first != null)
    throw new CollectionError(
      'exists',
      `${address.label}: the schema ${schema} holds ${first} already, and is no place for a new collection. Name another collection.`,
    )
  await ask(createTable(`${schema}.photos`, about, type))
  await ask(`create table ${schema}.collection (about text not null, version bigint not null default 0)`)
  await ask(
    `create table ${schema}.logs (entry bigint generated always as identity primary key, name text not null, line text not null)`,
  )
  await ask(`create table ${schema}.files (name text primary key, bytes bytea not null)`)
  await ask(`insert into ${schema}.collection (about) values ($1)`, [JSON.stringify(about)])
}
