import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Queryable } from '../connection/database.ts'
import type { OpenStore } from '../open.ts'
import { debianBinaries, scratchPostgres, type ScratchPostgres } from '../testing/scratch-postgres.ts'
import { nodePlaces, nodesOfMachines } from './find-records.ts'
import { machinesOfInstances } from './machines.ts'
import { readSights } from './read-sights.ts'

/** Rows that are alike in what is asked for while PostgreSQL looks at them, or not there yet, as those of nodes are whose machines are being made; then each gets its own. */
const ALIKE = `
insert into cluster (id, account_id, region, revision, created_at, updated_at, name, delete_protection, pod_network_mode, profile, tags, phase, conditions, spec, facts, said, counts)
  values ('c', 'a', 'r', 1, 0, 0, 'c', false, 'Flannel', 'Edge', '[]', 'Running', '{Ok}', '{}', '{}', '{}', '{}');
insert into node_pool (id, account_id, region, cluster_id, revision, created_at, updated_at, name, type, phase, conditions, spec, facts, said, counts) values ('p', 'a', 'r', 'c', 1, 0, 0, 'p', 'static', 'Running', '{Ok}', '{}', '{}', '{}', '{}');
insert into node (id, account_id, region, cluster_id, node_pool_id, revision, created_at, updated_at, name, machine_id, spec, facts, said) select 'n' || n, 'a', 'r', 'c', 'p', 1, 0, 0, 'n' || n, '', '{}', '{}', '{}' from generate_series(1, 3000) n;
insert into machine (id, account_id, region, name, address, power, link, created_at, instance_id) select 'm' || n, 'a', 'r', 'm' || n, '10.0.0.1', 'on', 'up', 0, 'i' from generate_series(1, 3000) n;
insert into watch (subject, epoch) values ('w', 1);
insert into sight (kind, id, subject, epoch, fact, seen_at, observer) select 'MachinePower', 'n' || n, 'w', 1, '{}', 0, 'o' from generate_series(1, 3000) n;
analyze;
update node set machine_id = 'm' || id;
update machine set instance_id = 'i' || id;
insert into sight (kind, id, subject, epoch, fact, seen_at, observer) select 'KubernetesNode', 'n' || n, 'w', 1, '{}', 0, 'o' from generate_series(1, 3000) n;
`

const debian = await debianBinaries()
for (const [name, binaries] of [['embedded PostgreSQL', undefined], ...(debian ? [['Debian\'s PostgreSQL 15', debian] as const] : [])] as const) {
  describe(`a few of many rows by the second column of an index, ${name}`, () => {
    let postgres: ScratchPostgres, opened: OpenStore
    before(async () => {
      postgres = await scratchPostgres(binaries)
      opened = await postgres.openCopy()
      for (const statement of ALIKE.split(';\n')) if (statement.trim() !== '') await opened.query(statement)
    })
    after(() => postgres.end())

    /** Of what a look asks. */
    async function plansOf(look: (connection: Queryable) => Promise<unknown>): Promise<string> {
      const plans: string[] = []
      await look({
        query: async <Row>(text: string, values: readonly unknown[] = []) => {
          plans.push(...(await opened.query<{ 'QUERY PLAN': string }>(`explain (analyze, costs off, timing off, summary off) ${text}`, values)).map(row => row['QUERY PLAN']))
          return [] as Row[]
        },
      })
      return plans.join('\n')
    }

    for (const [what, look, found] of [
      ['nodes of machines', (connection: Queryable) => nodesOfMachines(connection, 'r', ['mn7', 'mn8', 'mn8', 'nobody']), 2],
      ['places of nodes by their machines', (connection: Queryable) => nodePlaces(connection, { region: 'r', machineIds: ['mn7', 'mn8', 'nobody'] }), 2],
      ['machines of instances', (connection: Queryable) => machinesOfInstances(connection, { accountId: 'a', region: 'r' }, ['im7', 'im8', 'nobody']), 2],
      ['sights', (connection: Queryable) => readSights(connection, 'KubernetesNode', ['n7', 'n2008', 'nobody']), 2],
    ] as const) test(`${what}: no others are read`, async () => {
      const plan = await plansOf(look)
      assert.doesNotMatch(plan, /Rows Removed by Filter/, plan)
      const most = Math.max(...[...plan.matchAll(/actual rows=(\d+)/g)].map(([, rows]) => Number(rows)))
      assert.ok(most <= 4, plan)
      if (what !== 'sights') assert.equal(((await look(opened)) as readonly unknown[]).length, found)
    })

    test('the same id twice is one row', async () => {
      assert.deepEqual((await nodesOfMachines(opened, 'r', ['mn8', 'mn8', 'mn7'])).map(({ id }) => id).toSorted(), ['n7', 'n8'])
      assert.deepEqual((await readSights(opened, 'KubernetesNode', ['n7', 'n7'])).map(({ id }) => id), ['n7'])
    })
  })
}
