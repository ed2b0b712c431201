import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { ACTIONS } from '#api/actions/all.ts'
import { OWN_VERSION } from '#api/action.ts'
import { openSmallWorld, type SmallWorld } from './small-world.ts'
import { assertCatalogue } from './odd-bodies.ts'

/** What each of our own actions is sent that makes no sense, and the code by which it is refused. Ids are names of the small world's things. */
suite('our own actions refuse what makes no sense with a sentence', () => {
  let world: SmallWorld
  before(async () => { world = await openSmallWorld() })
  after(() => world.api.app.close())

  const NOBODY = 'c00000000000000000000', fail = { Type: 'fail' }
  type Row = readonly [what: string, action: string, body: (world: SmallWorld) => object, code: string]
  const row = (what: string, action: string, body: object | ((world: SmallWorld) => object), code: string): Row => [what, action, typeof body === 'function' ? body as (world: SmallWorld) => object : () => body, code]
  const inject = (what: string, body: object | ((world: SmallWorld) => object), code: string): Row => row(`a fault ${what}`, 'InjectFault', body, code)
  // oxfmt-ignore
  const ROWS: readonly Row[] = [
    row('nothing to explain',              'ExplainStatus',      { Id: '' },                                                              'NotFound.Resource'),
    row('an unknown id',                   'ExplainStatus',      { Id: NOBODY },                                                          'NotFound.Resource'),
    row('an id of no kind',                'ExplainStatus',      { Id: 'moon' },                                                          'NotFound.Resource'),
    row('an add-on that is not there',     'ExplainStatus',      ({ clusterId }) => ({ Id: `${clusterId}:moon` }),                        'NotFound.Resource'),
    row('another account\'s cluster',      'ExplainStatus',      ({ theirClusterId }) => ({ Id: theirClusterId }),                        'NotFound.Resource'),
    row('an unknown kind',                 'ListStatusHistory',  { Filter: { Kinds: ['Moon'] } },                                         'ParameterOutOfRange.Filter.Kinds'),
    row('a time that is none',             'ListStatusHistory',  { From: 'yesterday' },                                                   'ParameterOutOfRange.From'),
    row('a time that is turned round',     'ListStatusHistory',  { From: '2026-12-02T00:00:00Z', To: '2026-12-01T00:00:00Z' },            'ParameterOutOfRange.To'),
    row('a kind that is unknown',          'WatchChanges',       { Kinds: ['Moon'] },                                                     'ParameterOutOfRange.Kinds'),
    row('an event that is none',           'WatchChanges',       { LastEventId: 'yesterday' },                                            'ParameterOutOfRange.LastEventId'),
    row('half an event',                   'WatchChanges',       { LastEventId: '1.5' },                                                  'ParameterOutOfRange.LastEventId'),
    row('an event below the first',        'WatchChanges',       { LastEventId: -1 },                                                     'ParameterOutOfRange.LastEventId'),
    row('an event that is to come',        'WatchChanges',       { LastEventId: 1_000_000 },                                              'ParameterOutOfRange.LastEventId'),
    row('an event beyond all numbers',     'WatchChanges',       { LastEventId: '99999999999999999999' },                                 'ParameterOutOfRange.LastEventId'),
    row('an unknown kind',                 'ListLedger',         { Filter: { Kinds: ['Moon'] } },                                         'ParameterOutOfRange.Filter.Kinds'),
    row('an unknown state',                'ListLedger',         { Filter: { States: ['Lost'] } },                                        'ParameterOutOfRange.Filter.States'),
    row('an empty state',                  'ListLedger',         { Filter: { States: [''] } },                                            'ParameterOutOfRange.Filter.States'),
    row('a page before the first',         'ListRegions',        { PageNumber: 0 },                                                       'ParameterOutOfRange.PageNumber'),
    row('a page of a size below nothing',  'ListScenarios',      { PageSize: -1 },                                                        'ParameterOutOfRange.PageSize'),
    row('a name with capitals',            'CreateRegion',       { Region: 'CI' },                                                        'InvalidParameter.Region'),
    row('an empty name',                   'CreateRegion',       { Region: '' },                                                          'InvalidParameter.Region'),
    row('a name of real regions',          'CreateRegion',       { Region: 'local-2' },                                                   'InvalidParameter.Region'),
    row('a name that leads elsewhere',     'CreateRegion',       { Region: 'cn-beijing' },                                                'InvalidParameter.Region'),
    row('a name that is taken',            'CreateRegion',       { Region: 'sim-1' },                                                     'Conflict.Region'),
    row('a negative seed',                 'CreateRegion',       { Seed: -1 },                                                            'InvalidParameter.Seed'),
    row('half a seed',                     'CreateRegion',       { Seed: 1.5 },                                                           'InvalidParameter.Seed'),
    row('a beginning in 1999',             'CreateRegion',       { StartAt: '1999-12-31T23:59:59Z' },                                     'InvalidParameter.StartAt'),
    row('a beginning in 2100',             'CreateRegion',       { StartAt: '2100-01-01T00:00:00Z' },                                     'InvalidParameter.StartAt'),
    row('a speed of nothing',              'CreateRegion',       { Speed: 0 },                                                            'InvalidParameter.Speed'),
    row('an absurd speed',                 'CreateRegion',       { Speed: 1e12 },                                                         'InvalidParameter.Speed'),
    row('a negative duration',             'CreateRegion',       { Durations: { Boot: '-1s' } },                                          'InvalidParameter.Durations.Boot'),
    row('an absurd duration',              'CreateRegion',       { Durations: { Boot: '9999999999d' } },                                  'InvalidParameter.Durations.Boot'),
    row('a duration of years',             'CreateRegion',       { Durations: { Join: '400d' } },                                         'InvalidParameter.Durations.Join'),
    row('a duration of nothing known',     'CreateRegion',       { Durations: { Lunch: '1s' } },                                          'InvalidParameter.Durations.Lunch'),
    row('a region that is not there',      'DeleteRegion',       { Region: 'moon' },                                                      'NotFound.Region'),
    row('no region',                       'DeleteRegion',       { Region: '' },                                                          'NotFound.Region'),
    row('a real region',                   'DeleteRegion',       { Region: 'local-1' },                                                   'OperationDenied.RegionNotSimulated'),
    row('no name',                         'AddMachine',         { Name: '' },                                                            'InvalidParameter.Name'),
    row('a name that no host has',         'AddMachine',         { Name: 'Shop 1' },                                                      'InvalidParameter.Name'),
    row('a name that is taken',            'AddMachine',         { Name: 'box-1' },                                                       'Conflict.Name'),
    row('an unknown machine',              'SetMachine',         { Id: 'm00000000000000000000', Power: 'off' },                           'NotFound.Machine'),
    row('nothing to do',                   'SetMachine',         ({ machineId }) => ({ Id: machineId }),                                  'InvalidParameter.Id'),
    row('an unknown power',                'SetMachine',         ({ machineId }) => ({ Id: machineId, Power: 'half' }),                   'InvalidParameter.Power'),
    row('an unknown link',                 'SetMachine',         ({ machineId }) => ({ Id: machineId, Link: '' }),                        'InvalidParameter.Link'),
    row('an unknown script',               'SetMachine',         ({ machineId }) => ({ Id: machineId, RunScript: 'n00000000000000000000' }), 'NotFound.BatchEdgeMachine'),
    row('a node for a script',             'SetMachine',         ({ machineId, nodeId }) => ({ Id: machineId, RunScript: nodeId }),       'NotFound.BatchEdgeMachine'),
    row('an unknown machine',              'RemoveMachine',      { Id: 'm00000000000000000000' },                                         'NotFound.Machine'),
    row('no machine',                      'RemoveMachine',      { Id: '' },                                                              'NotFound.Machine'),
    row('an unknown machine',              'ExecInMachine',      { Id: 'm00000000000000000000', Command: ['true'] },                      'NotFound.Machine'),
    row('no command',                      'ExecInMachine',      ({ machineId }) => ({ Id: machineId, Command: [] }),                     'InvalidParameter.Command'),
    row('an unknown node',                 'SetNodeSchedulable', { Id: 'n00000000000000000000', Schedulable: true },                      'NotFound.Node'),
    row('a cluster for a node',            'SetNodeSchedulable', ({ clusterId }) => ({ Id: clusterId, Schedulable: true }),               'NotFound.Node'),
    row('a negative step',                 'SetClock',           { Step: '-61m' },                                                        'InvalidParameter.Step'),
    row('an empty step',                   'SetClock',           { Step: '' },                                                            'InvalidParameter.Step'),
    row('a step in no unit',               'SetClock',           { Step: '61' },                                                          'InvalidParameter.Step'),
    row('half a step',                     'SetClock',           { Step: '1.5h' },                                                        'InvalidParameter.Step'),
    row('a step past 2100',                'SetClock',           { Step: '27000d' },                                                      'InvalidParameter.Step'),
    row('an absurd step',                  'SetClock',           { Step: '9999999999d' },                                                 'InvalidParameter.Step'),
    row('a clock that runs backwards',     'SetClock',           { Speed: -60 },                                                          'InvalidParameter.Speed'),
    row('a clock that is set back',        'SetClock',           { Now: '2020-01-01T00:00:00Z' },                                         'InvalidParameter.Now'),
    row('a clock that is set back at once', 'SetClock',          { Paused: true, Now: '2020-01-01T00:00:00Z' },                           'InvalidParameter.Now'),
    row('no change',                       'SetClock',           {},                                                                      'InvalidParameter.Paused'),
    row('an unknown cluster',              'PutObject',          { ClusterId: NOBODY, Kind: 'ConfigMap', Name: 'c' },                     'NotFound.Cluster'),
    row('another account\'s cluster',      'PutObject',          ({ theirClusterId }) => ({ ClusterId: theirClusterId, Kind: 'ConfigMap', Name: 'c' }), 'NotFound.Cluster'),
    row('an unknown kind',                 'PutObject',          ({ clusterId }) => ({ ClusterId: clusterId, Kind: 'Moon', Name: 'full' }), 'InvalidParameter.Kind'),
    row('no kind',                         'PutObject',          ({ clusterId }) => ({ ClusterId: clusterId, Kind: '', Name: 'full' }),   'InvalidParameter.Kind'),
    row('a kind in another case',          'PutObject',          ({ clusterId }) => ({ ClusterId: clusterId, Kind: 'configmap', Name: 'c' }), 'InvalidParameter.Kind'),
    row('a node out of nothing',           'PutObject',          ({ clusterId }) => ({ ClusterId: clusterId, Kind: 'Node', Name: 'n' }),  'InvalidParameter.Kind'),
    row('a pod of nobody\'s',              'PutObject',          ({ clusterId }) => ({ ClusterId: clusterId, Kind: 'Pod', Name: 'p' }),   'InvalidParameter.Kind'),
    row('no name',                         'PutObject',          ({ clusterId }) => ({ ClusterId: clusterId, Kind: 'ConfigMap', Name: '' }), 'InvalidParameter.Name'),
    row('a namespace with capitals',       'PutObject',          ({ clusterId }) => ({ ClusterId: clusterId, Kind: 'ConfigMap', Name: 'c', Namespace: 'Web' }), 'InvalidParameter.Namespace'),
    row('an empty finalizer',              'PutObject',          ({ clusterId }) => ({ ClusterId: clusterId, Kind: 'ConfigMap', Name: 'c', Finalizers: [''] }), 'InvalidParameter.Finalizers'),
    row('an object that is not there',     'DeleteObject',       ({ clusterId }) => ({ ClusterId: clusterId, Kind: 'ConfigMap', Name: 'never' }), 'NotFound.ConfigMap'),
    row('an unknown cluster',              'DeleteObject',       { ClusterId: NOBODY, Kind: 'ConfigMap', Name: 'c' },                     'NotFound.Cluster'),
    row('an unknown cluster',              'SetWorkload',        { ClusterId: NOBODY, Name: 'batch', Pods: 1 },                           'NotFound.Cluster'),
    row('fewer pods than none',            'SetWorkload',        ({ clusterId }) => ({ ClusterId: clusterId, Name: 'batch', Pods: -1 }),  'InvalidParameter.Pods'),
    row('a million pods',                  'SetWorkload',        ({ clusterId }) => ({ ClusterId: clusterId, Name: 'batch', Pods: 1e6 }), 'InvalidParameter.Pods'),
    row('negative processors',             'SetWorkload',        ({ clusterId }) => ({ ClusterId: clusterId, Name: 'batch', Pods: 1, Cpu: -1 }), 'InvalidParameter.Cpu'),
    row('negative memory',                 'SetWorkload',        ({ clusterId }) => ({ ClusterId: clusterId, Name: 'batch', Pods: 1, MemoryMiB: -1 }), 'InvalidParameter.MemoryMiB'),
    row('a name that no Deployment has',   'SetWorkload',        ({ clusterId }) => ({ ClusterId: clusterId, Name: 'Batch/1', Pods: 1 }), 'InvalidParameter.Name'),
    row('an image without a name',         'SetImage',           { Name: '', Present: true },                                             'InvalidParameter.Name'),
    row('an image of two tags',            'SetImage',           { Name: 'a:b:c', Present: true },                                        'InvalidParameter.Name'),
    row('an unknown fault',                'ClearFault',         { Id: 'f-never' },                                                       'NotFound.Fault'),
    row('nothing',                         'ClearFault',         {},                                                                      'ParameterOutOfRange.Id'),
    row('one and all',                     'ClearFault',         { Id: 'f-never', All: true },                                            'ParameterOutOfRange.Id'),
    row('an unknown scenario',             'RunScenario',        { Name: 'moon-landing' },                                                'InvalidParameter.Name'),
    row('no scenario',                     'RunScenario',        { Name: '' },                                                            'InvalidParameter.Name'),
    row('a negative seed',                 'RunScenario',        { Name: 'node-running-ok', Seed: -1 },                                   'InvalidParameter.Seed'),
    row('an unknown region',               'RunScenario',        { Name: 'node-running-ok', In: 'moon' },                                 'NotFound.Region'),
    row('an empty region',                 'RunScenario',        { Name: 'node-running-ok', In: '' },                                     'NotFound.Region'),
    row('a real region',                   'RunScenario',        { Name: 'node-running-ok', In: 'local-1' },                              'OperationDenied.RegionNotSimulated'),
    row('asked for in a real region',      'RunScenario',        { Name: 'node-running-ok' },                                             'OperationDenied.RegionNotSimulated'),
    row('asked for in a real region',      'ListScenarios',      {},                                                                      'OperationDenied.RegionNotSimulated'),
    row('a cluster of a fresh region',     'RunScenario',        ({ clusterId }) => ({ Name: 'node-running-ok', On: clusterId }),         'InvalidParameter.On'),
    row('another region\'s cluster',       'RunScenario',        ({ clusterId }) => ({ Name: 'node-running-ok', In: 'sim-1', On: clusterId }), 'NotFound.Cluster'),
    row('an end at no row',                'RunScenario',        { Name: 'node-running-ok', StopAt: { Kind: 'Node', Phase: 'Failed', Condition: 'Ok' } }, 'InvalidParameter.StopAt'),
    row('an end at no set of conditions',  'RunScenario',        { Name: 'node-running-ok', StopAt: { Kind: 'Node', Phase: 'Failed', Condition: 'Balance+NotReady' } }, 'InvalidParameter.StopAt'),
    row('an end of an unknown kind',       'RunScenario',        { Name: 'node-running-ok', StopAt: { Kind: 'Moon', Phase: 'Failed', Condition: 'Ok' } }, 'InvalidParameter.StopAt.Kind'),
    row('an amount that is a text',        'SetBalance',         { Amount: '5' },                                                         'InvalidParameter.Amount'),
    row('an absurd amount',                'SetBalance',         { Amount: 1e300 },                                                       'InvalidParameter.Amount'),
    row('nothing',                         'SetBalance',         {},                                                                      'InvalidParameter.Amount'),
    row('an amount and none',              'SetBalance',         { Amount: 1, Unlimited: true },                                          'InvalidParameter.Amount'),
    row('an unknown kind',                 'SetQuota',           { Kind: 'Moon', Limit: 1 },                                              'InvalidParameter.Kind'),
    row('less than none',                  'SetQuota',           { Kind: 'Machine', Limit: -1 },                                          'InvalidParameter.Limit'),
    row('half a thing',                    'SetQuota',           { Kind: 'Machine', Limit: 1.5 },                                         'InvalidParameter.Limit'),
    row('an unknown kind',                 'SetStock',           { Kind: '', Count: 1 },                                                  'InvalidParameter.Kind'),
    row('an empty area',                   'SetStock',           { Kind: 'Machine', Area: '', Count: 1 },                                 'InvalidParameter.Area'),
    row('an absurd count',                 'SetStock',           { Kind: 'Machine', Count: 1e12 },                                        'InvalidParameter.Count'),
    inject('at an unknown port',           { Port: 'engine', Effect: fail },                                                              'InvalidParameter.Port'),
    inject('at no port',                   { Port: '', Effect: fail },                                                                    'InvalidParameter.Port'),
    inject('at a name of Object.prototype', { Port: 'constructor', Effect: fail },                                                        'InvalidParameter.Port'),
    inject('at an unknown call',           { Port: 'machines', Call: 'explode', Effect: fail },                                           'InvalidParameter.Call'),
    inject('at an unknown action',         { Port: 'api', Call: 'CreateMoon', Effect: fail },                                             'InvalidParameter.Call'),
    inject('of an unknown effect',         { Port: 'machines', Effect: { Type: 'melt' } },                                                'InvalidParameter.Effect.Type'),
    inject('that the call cannot suffer',  { Port: 'machines', Call: 'look', Effect: { Type: 'protected' } },                             'InvalidParameter.Effect.Type'),
    inject('of an unknown code',           { Port: 'api', Effect: { Type: 'fail', Code: 999 } },                                          'InvalidParameter.Effect.Code'),
    inject('for a negative time',          { Port: 'machines', Effect: { Type: 'hang', For: '-90s' } },                                   'InvalidParameter.Effect.For'),
    inject('for no time',                  { Port: 'machines', Effect: { Type: 'hang', For: '0s' } },                                     'InvalidParameter.Effect.For'),
    inject('for an absurd time',           { Port: 'machines', Effect: { Type: 'hang', For: '9999999999d' } },                            'InvalidParameter.Effect.For'),
    inject('that strikes never',           { Port: 'machines', Effect: fail, Times: 0 },                                                  'InvalidParameter.Times'),
    inject('that strikes less than never', { Port: 'machines', Effect: fail, Times: -1 },                                                 'InvalidParameter.Times'),
    inject('that ends before it begins',   { Port: 'machines', Effect: fail, From: '2026-12-02T00:00:00Z', Until: '2026-12-01T12:00:00Z' }, 'InvalidParameter.Until'),
    inject('with a misspelt member',       { Port: 'machines', Targets: { Kind: 'Machine' }, Effect: fail },                              'InvalidParameter.Targets'),
    inject('with a misspelt target',       { Port: 'machines', Target: { Ids: ['m1'] }, Effect: fail },                                   'InvalidParameter.Target.Ids'),
    inject('that names nothing',           { Port: 'machines', Target: {}, Effect: fail },                                                'InvalidParameter.Target'),
    inject('of our answers that names nothing', { Port: 'api', Target: {}, Effect: fail },                                                'InvalidParameter.Target'),
    inject('at an unknown kind',           { Port: 'machines', Target: { Kind: 'Moon' }, Effect: fail },                                  'InvalidParameter.Target.Kind'),
    inject('of our answers at a thing',    { Port: 'api', Target: { Kind: 'Cluster' }, Effect: fail },                                    'InvalidParameter.Target.Kind'),
    inject('of our answers by a label',    { Port: 'api', Target: { Label: 'a=b' }, Effect: fail },                                       'InvalidParameter.Target.Label'),
    inject('at a kind that the port never meets', { Port: 'control-plane-host', Target: { Kind: 'Node' }, Effect: fail },                 'InvalidParameter.Target.Kind'),
    inject('at a kind that the call never meets', { Port: 'tenant-cluster', Call: 'probe', Target: { Kind: 'Node' }, Effect: fail },      'InvalidParameter.Target.Kind'),
    inject('at an empty id',               { Port: 'machines', Target: { Id: '' }, Effect: fail },                                        'InvalidParameter.Target.Id'),
    inject('at an empty name',             { Port: 'machines', Target: { Name: '' }, Effect: fail },                                      'InvalidParameter.Target.Name'),
    inject('at a name that the port does not hear', { Port: 'machines', Target: { Kind: 'NodePool', Name: 'burst' }, Effect: fail },      'InvalidParameter.Target.Name'),
    inject('by a label where there are none', { Port: 'outside', Target: { Label: 'a=b' }, Effect: fail },                                'InvalidParameter.Target.Label'),
    inject('at the zeroth',                { Port: 'machines', Target: { Nth: 0 }, Effect: fail },                                        'InvalidParameter.Target.Nth'),
    inject('at an unknown id',             { Port: 'machines', Target: { Id: 'm00000000000000000000' }, Effect: fail },                   'NotFound.Resource'),
    inject('at an unknown machine',        { Port: 'machines', Target: { Kind: 'Machine', Id: 'm00000000000000000000' }, Effect: fail },  'NotFound.Machine'),
    inject('of our answers about an unknown id', { Port: 'api', Target: { Id: NOBODY }, Effect: fail },                                   'NotFound.Resource'),
    inject('at another account\'s cluster', ({ theirClusterId }) => ({ Port: 'control-plane-host', Target: { Kind: 'Cluster', Id: theirClusterId }, Effect: fail }), 'NotFound.Cluster'),
    inject('at an id of another kind',     ({ clusterId }) => ({ Port: 'machines', Target: { Kind: 'Machine', Id: clusterId }, Effect: fail }), 'InvalidParameter.Target.Kind'),
    inject('at an id that the port never meets', ({ machineId }) => ({ Port: 'outside', Target: { Id: machineId }, Effect: fail }),       'InvalidParameter.Target.Id'),
  ]
  for (const [what, action, body, code] of ROWS) {
    test(`${action}: ${what}`, async () => {
      const untouched = await world.api.everything()
      const answer = await world.api.call(action, body(world))
      assertCatalogue(action, answer)
      assert.equal(answer.body.ResponseMetadata.Error?.Code, code)
      assert.match(answer.body.ResponseMetadata.Error?.Message ?? '', /^[A-Z].{15,}\.$/s)
      assert.deepEqual(await world.api.everything(), untouched)
    })
  }

  test('each of them has a row here, but for those that take nothing', () => {
    const named = new Set(ROWS.map(([, action]) => action))
    const without = ACTIONS.filter(action => action.version === OWN_VERSION && !named.has(action.name)).map(action => action.name)
    assert.deepEqual(without, ['GetBalance', 'GetClock', 'ListMachines', 'ListFaults', 'ListStock', 'ListQuotas'], 'they take nothing, or pages and filters alone')
  })

  test('every write of ours refuses a member that it does not know', async () => {
    for (const action of ACTIONS.filter(({ version, kind }) => version === OWN_VERSION && kind === 'write')) {
      const { body } = await world.api.call(action.name, { ...world.valid[action.name], Moon: 1 })
      assert.match(body.ResponseMetadata.Error?.Code ?? 'accepted', /^(InvalidParameter|ParameterOutOfRange)\.Moon$/, action.name)
    }
  })

  test('what is there may be named: a cluster, a pool, a node, an add-on and a machine, at the ports that meet them', async () => {
    const { api, clusterId, nodePoolId, nodeId, machineId } = world
    for (const [Port, Target] of [
      ['control-plane-host', { Id: clusterId }], ['machines', { Kind: 'NodePool', Id: nodePoolId }], ['tenant-cluster', { Kind: 'Node', Id: nodeId }], ['tenant-cluster', { Label: 'zone=a' }],
      ['addon-installer', { Kind: 'Addon', Id: `${clusterId}:ingress-nginx` }], ['machines', { Id: machineId, Nth: 2 }], ['machines', { Kind: 'Machine', Name: 'not-yet-there' }], ['api', { Id: clusterId }], ['api', { Kind: 'Call', Name: 'shop' }],
    ] as const) await api.done('InjectFault', { Port, Target, Effect: fail })
    await api.done('ClearFault', { All: true })
  })
})
