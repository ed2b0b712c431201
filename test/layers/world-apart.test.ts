/** The invented world supplies causes alone: nothing in it names a phase or a condition of the model, or reaches the records. A planted violation shows that this is seen. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ADDON_STATUS } from '#model/addon/status.ts'
import { CLUSTER_STATUS } from '#model/cluster/status.ts'
import { NODE_POOL_STATUS } from '#model/node-pool/status.ts'
import { NODE_STATUS } from '#model/node/status.ts'
import { ONBOARDING_STATUS } from '#model/onboarding/status.ts'

const repository = join(import.meta.dirname, '../..')
const WORLD = 'src/providers/simulated'

/** Kubernetes' own words for what a container waits for, and for a node that is not heard; the product took them from there, as the kubelet of the world does. */
const KUBERNETES_WORDS = new Set(['ImagePullBackOff', 'CrashLoopBackOff', 'Unknown'])
const WORDS = new Set([CLUSTER_STATUS, NODE_POOL_STATUS, NODE_STATUS, ADDON_STATUS, ONBOARDING_STATUS].flatMap(table => table.flatMap(([phase, condition]) => [String(phase), String(condition)])).filter(word => !KUBERNETES_WORDS.has(word)))

/** Lines of a source in which a status is named as a value, as a member, or in a type. */
function namesOfStatuses(text: string): string[] {
  return text.split('\n').filter(line => [...line.matchAll(/['"`]([A-Za-z]+)['"`]|\b([A-Z][A-Za-z]+)\s*:/g)].some(([, quoted, member]) => WORDS.has(quoted ?? member ?? '')))
}

/** Imports of the records, of the API or of what decides, and statements on tables that are not the world's. */
function reaches(text: string): string[] {
  return text.split('\n').filter(line => /from '(#store|#api|#controllers|#kernel|#join|#main)\//.test(line)
    || /\b(from|into|update|join|using)\s+(?!world\.)(cluster|node_pool|node|addon|machine|ledger|status_change|sight|work|lease)\b(?!['"])/i.test(line.replace(/^\s*import .*/, '')) && /`/.test(line))
}

const sources = globSync(`${WORLD}/**/*.ts`, { cwd: repository }).filter(file => !file.endsWith('.test.ts')).toSorted()

test('the files of the world are found', () => {
  assert.ok(sources.length > 30 && sources.includes(`${WORLD}/simulated-region.ts`))
})

test('no file of the world names a phase or a condition', () => {
  assert.deepEqual(sources.flatMap(file => namesOfStatuses(readFileSync(join(repository, file), 'utf8')).map(line => `${file}: ${line.trim()}`)), [])
})

test('no file of the world reaches the records or those who decide', () => {
  assert.deepEqual(sources.flatMap(file => reaches(readFileSync(join(repository, file), 'utf8')).map(line => `${file}: ${line.trim()}`)), [])
})

test('planted violations are caught', () => {
  for (const line of [`if (phase === 'Running') return`, `return { StockOut: true }`, 'const shows = "ClusterNotRunning"', `type Shown = 'Failed'`]) assert.equal(namesOfStatuses(line).length, 1, line)
  for (const line of [`import type { Store } from '#store/open.ts'`, `import { decideNode } from '#controllers/node/decide.ts'`, 'await query(`update node set facts = $1`)', 'query(`insert into ledger values (1)`)']) assert.equal(reaches(line).length, 1, line)
  for (const line of ['kubelet is posting ready status', `throw MachineRefused.soldOut('none')`]) assert.deepEqual(namesOfStatuses(line), [])
})
