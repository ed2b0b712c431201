import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EdgeholdClient, type ClientOptions } from '#client/client.ts'
import { until, type Installation } from '#test/harness/command.ts'

export function credentialsOf(place: Installation): ClientOptions {
  const credentials = JSON.parse(readFileSync(join(place.state, 'credentials.json'), 'utf8')) as { AccessKeyId: string; SecretAccessKey: string; Endpoint: string; Region: string }
  return { endpoint: credentials.Endpoint, accessKeyId: credentials.AccessKeyId, secretAccessKey: credentials.SecretAccessKey, region: credentials.Region }
}

/** The API of an installation, with the credentials that its first start wrote. */
export async function clientOf(place: Installation): Promise<EdgeholdClient> {
  return new EdgeholdClient(credentialsOf(place))
}

/** Starts the installation and waits until its local region is whole: network, components, registry. */
export async function start(place: Installation): Promise<EdgeholdClient> {
  takeAwayOnEnd(place)
  await place.ok(['up', '--detach'], { deadlineMs: 300_000 })
  const client = await clientOf(place)
  await until('the local region to be whole', async () => {
    const region = (await client.all('ListRegions')).find(each => each.Kind === 'Local')
    if (!region?.Ready) throw new Error(region?.Text ?? 'no local region')
    return true
  }, 300_000, 50)
  return client
}

/** Whoever ends a benchmark half way finds nothing of it left on the host. */
function takeAwayOnEnd(place: Installation): void {
  const end = (error?: unknown): void => {
    process.removeAllListeners('uncaughtException')
    if (error instanceof Error) process.stderr.write(`${error.stack ?? error.message}\n`)
    void place.remove().finally(() => { process.exit(1) })
  }
  process.once('SIGTERM', () => { end() })
  process.once('SIGINT', () => { end() })
  process.once('uncaughtException', end)
}
