/**
 * Writes the documents that come from the model's tables: `node src/main/generate.ts` rewrites docs/generated/, `--check` writes nothing and fails where
 * a file on disk differs from what the tables say.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { OWN_VERSION, PRODUCT_VERSION } from '#api/action.ts'
import { ACTIONS } from '#api/actions/all.ts'
import { ADDON_RULES } from '#model/addon/rules.ts'
import { CLUSTER_RULES } from '#model/cluster/rules.ts'
import { CLUSTER_TRANSITIONS } from '#model/cluster/transitions.ts'
import { API_ERRORS } from '#model/errors/catalogue.ts'
import type { ResourceKind } from '#model/evidence.ts'
import { NODE_POOL_RULES } from '#model/node-pool/rules.ts'
import { NODE_POOL_TRANSITIONS } from '#model/node-pool/transitions.ts'
import { NODE_RULES } from '#model/node/rules.ts'
import { NODE_TRANSITIONS } from '#model/node/transitions.ts'
import { PRECONDITIONS, type Precondition } from '#model/preconditions.ts'
import { DEADLINES, DWELL } from '#model/status/deadlines.ts'
import { exitsOf } from '#model/status/exits.ts'
import { STATUS_TABLES } from '#model/status/kinds.ts'
import { ONLY_SIMULATED } from '#model/status/only-simulated.ts'
import { meaningOf } from '#model/status/table.ts'
import { spanText } from '#model/time.ts'

const NOTE = 'Made from the tables in `src/model/` and the list of actions by `node src/main/generate.ts`; change those, not this file.'
const TITLES: Readonly<Record<ResourceKind, string>> = { Cluster: 'Cluster', NodePool: 'Node pool', Node: 'Node', Addon: 'Add-on', Onboarding: 'Onboarding script' }

const RULES: Partial<Record<ResourceKind, readonly { readonly name: string }[]>> = { Cluster: CLUSTER_RULES, NodePool: NODE_POOL_RULES, Node: NODE_RULES, Addon: ADDON_RULES }
const TRANSITIONS: Partial<Record<ResourceKind, Readonly<Record<string, readonly string[]>>>> = { Cluster: CLUSTER_TRANSITIONS, NodePool: NODE_POOL_TRANSITIONS, Node: NODE_TRANSITIONS }

/** The documents by file name. */
export function documents(): Readonly<Record<string, string>> {
  return { 'actions.md': actionsDocument(), 'status.md': statusDocument(), 'errors.md': errorsDocument(), 'preconditions.md': preconditionsDocument() }
}

function actionsDocument(): string {
  const of = (asked: string) => table([['Action', 'Kind', 'What it does'], ...ACTIONS.filter(({ version }) => version === asked).map(({ name, kind, says }) => [`\`${name}\``, kind, says])])
  return page('Actions', ['The members of each are in `/openapi.json` of a server.', `## Own actions (version ${OWN_VERSION})`, of(OWN_VERSION), `## Actions of the product (version ${PRODUCT_VERSION})`, of(PRODUCT_VERSION)])
}

function statusDocument(): string {
  const sections = (Object.keys(STATUS_TABLES) as ResourceKind[]).map(statusSection)
  const times = [['Deadline or dwell', 'Time'], ...Object.entries({ ...DEADLINES, ...DWELL }).map(([name, ms]) => [`\`${name}\``, spanText(ms)])]
  const onlySimulated = [['Resource', 'Status', 'Why'], ...ONLY_SIMULATED.map(([kind, phase, condition, reason]) => [TITLES[kind], pairText(phase, [condition]), reason])]
  return page('Statuses', ['`seed`: a row of the closed product; `sibling`: a row of ours beside it. `status-proof.md` shows how each is reached.', ...sections, '## Reached in simulated regions only', table(onlySimulated), '## Deadlines and dwell', table(times)])
}

function statusSection(kind: ResourceKind): string {
  const { zh, rows, together } = STATUS_TABLES[kind]
  const withPods = kind === 'Node'
  const lines = rows.map(row => [
    pairText(row[0], [row[1]]), row[2], row[3], row[4], ...(withPods ? [row[5] === true ? 'yes' : 'no'] : []), meaningOf(row),
    exitsOf(kind, { phase: row[0], conditions: [row[1]] }).map(({ By, What }) => (By === 'call' ? `\`${What}\`` : What)).join('; '),
  ])
  const rules = RULES[kind]
  const transitions = TRANSITIONS[kind]
  return [
    `## ${TITLES[kind]} (${zh})`,
    table([['Status', 'Origin', 'Label', 'Label (en)', ...(withPods ? ['New pods'] : []), 'What it means', 'How it is left'], ...lines]),
    ...(together.length === 0 ? [] : [`Conditions that may be listed together: ${together.map(([phase, conditions]) => pairText(phase, conditions)).join(', ')}.`]),
    ...(rules ? ['The rules, in their order; the first that holds is shown:', rules.map((rule, index) => `${index + 1}. ${rule.name}`).join('\n')] : []),
    ...(transitions ? ['What may follow what:', table([['From', 'To'], ...Object.entries(transitions).map(([from, to]) => [keyText(from), to.map(keyText).join(', ')])])] : []),
  ].join('\n\n')
}

function errorsDocument(): string {
  return page('Errors', [
    'List and delete actions answer `ParameterOutOfRange.{Parameter}` and `MalformedBody` where others answer `InvalidParameter.{Parameter}` and `InvalidParameter.BodyFormat`: clients that wait for a deletion read "invalid" as "gone".',
    table([['Code', 'HTTP', 'CodeN', 'Message'], ...API_ERRORS.map(([code, httpStatus, codeN, message]) => [`\`${code}\``, String(httpStatus), String(codeN), message])]),
  ])
}

function preconditionsDocument(): string {
  const rows = Object.entries(PRECONDITIONS).map(([action, wanted]: [string, Precondition]) => [`\`${action}\``, allowedText(wanted.cluster), allowedText(wanted.nodePool), allowedText(wanted.node), allowedText(wanted.addon)])
  return page('Preconditions', [
    'In which states each action is accepted; an empty cell is not looked at. Otherwise it answers 400 `OperationDenied.ClusterStatus`, `.NodePoolStatus`, `.NodeStatus` or `.AddonStatus`.',
    table([['Action', 'Cluster', 'Node pool', 'Node', 'Add-on'], ...rows]),
  ])
}

function allowedText(allowed: readonly (readonly [string, '*' | readonly string[]])[] | undefined): string {
  return (allowed ?? []).map(([phase, conditions]) => pairText(phase, conditions === '*' ? ['*'] : conditions)).join(', ')
}

function keyText(key: string): string {
  const [phase = '', conditions] = key.split('/')
  return conditions === undefined ? phase : pairText(phase, conditions.split('+'))
}

function pairText(phase: string, conditions: readonly string[]): string {
  return `{${phase},[${conditions.join(',')}]}`
}

function page(title: string, parts: readonly string[]): string {
  return `${[`# ${title}`, NOTE, ...parts].join('\n\n')}\n`
}

function table(rows: readonly (readonly string[])[]): string {
  const lines = rows.map(cells => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`)
  return [lines[0], `|${' --- |'.repeat(rows[0]?.length ?? 0)}`, ...lines.slice(1)].join('\n')
}

/** Writes the documents into the folder, or, with `check`, answers the names of those that differ. */
export async function generate(folder: string, check: boolean): Promise<readonly string[]> {
  const stale: string[] = []
  await mkdir(folder, { recursive: true })
  for (const [name, text] of Object.entries(documents())) {
    const path = join(folder, name)
    const there = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (there === text) continue
    if (check) stale.push(name)
    else await writeFile(path, text)
  }
  return stale
}

if (import.meta.main) {
  const stale = await generate(join(import.meta.dirname, '../../docs/generated'), process.argv.includes('--check'))
  if (stale.length > 0) {
    process.stderr.write(`docs/generated differs from the tables in ${stale.join(', ')}: run node src/main/generate.ts\n`)
    process.exitCode = 1
  }
}
