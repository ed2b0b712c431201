import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EdgeholdClient } from '#client/client.ts'
import type { Installation } from '#test/harness/command.ts'

/** The API of an installation, with the credentials that its first start wrote. */
export async function clientOf(place: Installation): Promise<EdgeholdClient> {
  const credentials = JSON.parse(readFileSync(join(place.state, 'credentials.json'), 'utf8')) as { AccessKeyId: string; SecretAccessKey: string; Endpoint: string; Region: string }
  return new EdgeholdClient({ endpoint: credentials.Endpoint, accessKeyId: credentials.AccessKeyId, secretAccessKey: credentials.SecretAccessKey, region: credentials.Region })
}
