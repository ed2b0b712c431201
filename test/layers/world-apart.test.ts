/** The invented world supplies causes alone: nothing in it names a phase or a condition of the model, or reaches the records, and nothing of the product reaches into it. Planted violations show that this is seen. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { ADDON_STATUS } from '#model/addon/status.ts'
import { CLUSTER_STATUS } from '#model/cluster/status.ts'
import { NODE_POOL_STATUS } from '#model/node-pool/status.ts'
import { NODE_STATUS } from '#model/node/status.ts'
import { ONBOARDING_STATUS } from '#model/onboarding/status.ts'
import { WORLD_MIGRATIONS } from '#providers/simulated/store/migrations.ts'
import { PUT_IN, sourceOf, type SourceText } from './source-texts.ts'

const repository = join(import.meta.dirname, '../..')
const WORLD = 'src/providers/simulated'

/** Kubernetes' own words for what a container waits for, and for a node that is not heard; the product took them from there, as the kubelet of the world does. */
const KUBERNETES_WORDS = new Set(['ImagePullBackOff', 'CrashLoopBackOff', 'Unknown'])
const WORDS = new Set([CLUSTER_STATUS, NODE_POOL_STATUS, NODE_STATUS, ADDON_STATUS, ONBOARDING_STATUS].flatMap(table => table.flatMap(([phase, condition]) => [String(phase), String(condition)])).filter(word => !KUBERNETES_WORDS.has(word)))

const productFiles = globSync('src/**/*.ts', { cwd: repository }).filter(file => !file.startsWith(`${WORLD}/`) && !file.endsWith('.test.ts'))
const textOf = (file: string) => readFileSync(join(repository, file), 'utf8')

/** What the product keeps its records in, by its own migrations. */
const TABLES = new Set(productFiles.filter(file => file.startsWith('src/store/')).flatMap(file => sourceOf(textOf(file)).texts).flatMap(({ text }) => made(text)))
const WORLD_COLUMNS = new Set(WORLD_MIGRATIONS.flatMap(({ sql }) => [...sql.matchAll(/^\s+([a-z_]+) [a-z]/gm)].map(([, column = '']) => column)))

function made(sql: string): string[] {
  return [...sql.matchAll(/\b(?:create\s+(?:or\s+replace\s+)?(?:unlogged\s+|temp(?:orary)?\s+|materialized\s+)?(?:table|view|sequence|function)(?:\s+if\s+not\s+exists)?|rename\s+to)\s+([a-z_]+)/g)].map(([, name = '']) => name)
}

/** Texts and names of a source that are those of a status, alone or within others. */
function namesOfStatuses(source: string): string[] {
  const { code, texts } = sourceOf(source)
  const words = (text: string) => text.match(/(?<![A-Za-z])[A-Z][A-Za-z]+/g) ?? []
  return [...texts.filter(({ text }) => words(text).some(word => WORDS.has(word))).map(told), ...(code.match(/(?<![\w$])[A-Z]\w*/g) ?? []).filter(word => WORDS.has(word))]
}

/** `world.thing`, `"node"`, `public.node`; what is put in may be anything. */
const NAMED = String.raw`(?:only\s+|lateral\s+|if\s+exists\s+)*(?:(?<schema>"?\w+"?)\s*\.\s*)?(?<name>"?\w+"?|${PUT_IN})`
const REACHING = new RegExp(String.raw`\b(?:from|into|update|join|using|truncate|(?:alter|drop|lock|truncate)\s+table|copy)\s+${NAMED}`, 'gi')
const SQL = /\bselect\b[\s\S]*\bfrom\b|\binsert\s+into\b|\bupdate\b[\s\S]*\bset\b|\bdelete\s+from\b|\bmerge\s+into\b|\btruncate\b|\b(?:alter|create|drop|lock)\s+table\b/i

/** Imports of whatever knows the records or decides on them, and statements on what is not the world's. */
function reaches(source: string, file = `${WORLD}/planted.ts`): string[] {
  return sourceOf(source).texts.filter(({ text }) => isForeign(text, file) || isOnRecords(text)).map(told)
}

function isForeign(path: string, file: string): boolean {
  if (/^#[a-z-]+\//.test(path)) return !/^#(ports|providers\/simulated)\//.test(path) && (!path.startsWith('#model/') || /\/status\b/.test(path))
  return /^\.{1,2}\/[\w./-]*$/.test(path) && !normalize(join(dirname(file), path)).startsWith(`${WORLD}/`)
}

function isOnRecords(text: string): boolean {
  const sql = text.replaceAll(/\/\*[\s\S]*?\*\/|--.*$/gm, ' ')
  if (/\bsearch_path\b/i.test(sql)) return true
  for (const { groups: { schema, name = '' } = {} } of sql.matchAll(REACHING)) if (bare(schema) !== 'world' && (name === PUT_IN || TABLES.has(bare(name)))) return true
  // Behind a comma, before a column, in a call: in a statement no name of theirs stands for anything else, but for columns of the world's own.
  return SQL.test(sql) && [...sql.matchAll(/(?<![\w$])("?world"?\s*\.\s*)?"?([a-z_]+)(?![\w$])/gi)].some(([, ofWorld, name = '']) => ofWorld === undefined && TABLES.has(bare(name)) && !WORLD_COLUMNS.has(bare(name)))
}

/** Statements of the product on what is the world's. */
function reachesWorld(source: string): string[] {
  return sourceOf(source).texts.filter(({ text }) => [...text.matchAll(REACHING)].some(({ groups }) => bare(groups?.['schema']) === 'world') || (SQL.test(text) && /\bworld"?\s*\./i.test(text)) || /\bschema\s+(?:if\s+(?:not\s+)?exists\s+)?"?world\b/i.test(text)).map(told)
}

function bare(name: string | undefined): string {
  return (name ?? '').replaceAll('"', '').trim().toLowerCase()
}

function told({ line, text }: SourceText): string {
  return `${line}: ${text.trim().replaceAll(/\s+/g, ' ')}`
}

const sources = globSync(`${WORLD}/**/*.ts`, { cwd: repository }).filter(file => !file.endsWith('.test.ts')).toSorted()

test('the files of the world are found, and so are the tables of the product', () => {
  assert.ok(sources.length > 30 && sources.includes(`${WORLD}/simulated-region.ts`))
  assert.deepEqual(globSync(`${WORLD}/**/*.*`, { cwd: repository }).filter(file => !/\.(ts|md)$/.test(file)), [])
  assert.ok(TABLES.size >= 28, [...TABLES].join(', '))
  for (const table of ['account', 'onboarding', 'kubeconfig', 'client_token', 'node_status', 'ledger_tally', 'work', 'migration']) assert.ok(TABLES.has(table), table)
  assert.deepEqual([...TABLES].filter(table => WORLD_COLUMNS.has(table)), ['region'])
})

test('no file of the world names a phase or a condition', () => {
  assert.deepEqual(sources.flatMap(file => namesOfStatuses(textOf(file)).map(line => `${file}:${line}`)), [])
})

test('no file of the world reaches the records or those who decide', () => {
  assert.deepEqual(sources.flatMap(file => reaches(textOf(file), file).map(line => `${file}:${line}`)), [])
})

test('no file of the product reaches into the world past its port', () => {
  assert.ok(productFiles.length > 300)
  assert.deepEqual(productFiles.flatMap(file => reachesWorld(textOf(file)).map(line => `${file}:${line}`)), [])
})

/** A file of the world as it must not be: one transaction over both schemas that sets a status. */
const PLANTED_FILE = `import type { Query } from './store/postgres-world-store.ts'

export async function sayIt(query: Query, id: string): Promise<void> {
  await query('begin')
  await query(\`
    update world.thing
      set value = '{}'
      where id = $1\`, [id])
  await query(\`
    update
      node
    set said = '{Failed,[NotReady]}'\`)
  await query(\`update account set name = 'x'\`)
  await query("delete from ledger")
  await query('commit')
}
`

test('a planted transaction over both schemas is caught, each of its statements that is not the world\'s', () => {
  assert.deepEqual(reaches(PLANTED_FILE).map(line => Number.parseInt(line, 10)), [9, 13, 14])
  assert.deepEqual(namesOfStatuses(PLANTED_FILE).map(line => Number.parseInt(line, 10)), [9])
  assert.deepEqual(reachesWorld(PLANTED_FILE).map(line => Number.parseInt(line, 10)), [5])
})

test('every table of the product is caught in every kind of statement', () => {
  for (const table of TABLES) for (const statement of [`select 1 from ${table}`, `update\n  ${table} set x = 1`, `INSERT INTO "${table}" VALUES (1)`, `delete from public.${table}`, `select 1 from world.thing join ${table} using (id)`, `truncate ${table}`, `alter table ${table} add x int`, `with a as (select 1) merge into ${table} using a on true`]) {
    assert.equal(reaches(`await query(\`${statement}\`)`).length, 1, statement)
  }
})

test('planted names of statuses are caught', () => {
  for (const source of [
    `if (phase === 'Running') return`, `return { StockOut: true }`, 'const shows = "ClusterNotRunning"', `type Shown = 'Failed'`, 'const shown = `Stopped`', 'return Phase.Deleting', `said['NotReady']`,
    `const said = '{Failed,[NotReady]}'`, `const said = '{"Phase":"Running","Conditions":[{"Type":"Ok"}]}'`, 'query(`update world.thing\n  set value = \'{"phase":"Creating"}\'`)', 'const text = `it is ${name} and\n{Stopped,\n[Balance]}`',
    `const phase = 'Run' + 'ning'`, `const phase = 'Sto'\n  + \`pped\``, String.raw`const phase = 'R\u0075nning'`, 'const phase = `${`Failed`}`', 'return /^(Starting|Stopping)$/.test(phase)', `case "Unschedulable":`, `const it = a / 2 // it's\nconst phase = 'Scaling'`,
  ]) assert.equal(namesOfStatuses(source).length, 1, source)
})

test('planted reaches for the records are caught', () => {
  for (const source of [
    `import type { Store } from '#store/open.ts'`, `import { decideNode } from '#controllers/node/decide.ts'`, `import "#kernel/loop.ts"`, `const { open } = await import('#store/open.ts')`, `export * from "../../store/open.ts"`, `import { NODE_STATUS } from '#model/node/status.ts'`,
    `import type { Box } from '../local/boxes/boxes.ts'`, 'await query(`update node set facts = $1`)', 'query(`insert into ledger values (1)`)', 'query(`\n  delete\n  from\n    kubeconfig\n`)', `query("select 1 from world.thing, onboarding where true")`, `query('delete ' + 'from client_token')`,
    `query('update /* quietly */ account set name = 1')`, 'query(`update ${table} set facts = 1`)', `query('set search_path = public')`, `const TAIL = ' from access_key where id = $1'`, 'query(`select (select max(at) from world.thing), node.facts from world.thing`)', `query("select * from region")`,
  ]) assert.equal(reaches(source).length, 1, source)
  for (const source of [`query('delete from world.thing')`, 'query(`select 1 from "world"."owner"`)', `query('drop schema if exists world cascade')`]) assert.equal(reachesWorld(source).length, 1, source)
})

test('what only sounds so is left alone', () => {
  for (const source of [
    'kubelet is posting ready status', `throw MachineRefused.soldOut('none')`, '// It is Running, and comes from node 1.', '/* update node\nset Failed */ const running = 1', `const text = 'the node was deleted from the cluster, and the account is told'`,
    `query('select value from world.thing where region = $1')`, `import { World } from './world/world.ts'`, `import type { NodePoolRecord } from '#model/node-pool/record.ts'`, `const isRunning = notReady('not ready')`, `const left = total / parts / 2, said = 'fine'`,
  ]) assert.deepEqual([...namesOfStatuses(source), ...reaches(source)], [], source)
})
