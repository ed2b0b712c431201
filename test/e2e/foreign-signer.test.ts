/** The way of a client that knows nothing of Edgehold: the official Node SDK's signer against a server that was just started, and curl with a signature made by openssl. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Service } from '@volcengine/openapi'
import { Installation, runProgram, until } from '#test/harness/command.ts'

interface Answer<Result> { Result?: Result; ResponseMetadata: { Error?: { Code: string; Message: string } } }
interface Listed { Items: { Id: string; Name: string; Status: { Phase: string; Conditions: { Type: string }[] } }[] }

let place: Installation
let keys: { AccessKeyId: string; SecretAccessKey: string }

async function call<Result>(action: string, body: object): Promise<Result> {
  const service = new Service({ host: place.listen, protocol: 'http:', serviceName: 'veecp_openapi', region: 'cn-beijing', defaultVersion: '2021-03-03', accessKeyId: keys.AccessKeyId, secretKey: keys.SecretAccessKey })
  const answer = (await service.createAPI(action, { method: 'POST', contentType: 'json' })(body)) as unknown as Answer<Result>
  if (answer.ResponseMetadata.Error || answer.Result === undefined) throw new Error(JSON.stringify(answer))
  return answer.Result
}

describe('clients written by someone else', () => {
  before(async () => {
    place = await Installation.make()
    await place.ok(['up', '--detach'], { deadlineMs: 300_000 })
    keys = JSON.parse(readFileSync(join(place.state, 'credentials.json'), 'utf8')) as typeof keys
  })
  after(async () => {
    await place.remove()
  })

  test('the official Node signer creates a real cluster, sees it Running, and deletes it', async () => {
    const { Id: id } = await call<{ Id: string }>('CreateCluster', {
      Name: 'foreign', Profile: 'Edge', KubernetesVersion: 'v1.24.15-veecp.1', ClusterConfig: { SubnetIds: ['subnet-any'] },
      PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.22.224.0/20'] } }, ServicesConfig: { ServiceCidrsv4: ['172.30.0.0/18'] },
    })
    await until('the cluster to be Running', async () => (await call<Listed>('ListClusters', { Filter: { Ids: [id] } })).Items[0]?.Status.Phase === 'Running', 120_000)
    await call('DeleteCluster', { Id: id, CascadingDeleteResources: ['All'] })
    await until('the cluster to be gone', async () => (await call<Listed>('ListClusters', { Filter: { Ids: [id] } })).Items.length === 0, 120_000)
  })

  test('curl with a signature made by openssl is understood; with another body it is refused', async () => {
    const signed = join(import.meta.dirname, 'signed-curl.sh')
    const environment = { ...process.env, HOST: place.listen, ACCESS_KEY: keys.AccessKeyId, SECRET_KEY: keys.SecretAccessKey }
    const good = await runProgram('sh', [signed, 'ListClusters', '{}'], { environment })
    assert.equal((JSON.parse(good.stdout) as Answer<Listed>).Result?.Items.length, 0)
    const changed = await runProgram('sh', [signed, 'ListClusters', '{}', '{"PageNumber":2}'], { environment })
    assert.match((JSON.parse(changed.stdout) as Answer<Listed>).ResponseMetadata.Error?.Code ?? '', /SignatureDoesNotMatch|InvalidAuthorization/)
  })
})
