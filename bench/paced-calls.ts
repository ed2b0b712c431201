/**
 * A process of its own that sends signed calls at a steady pace, each once, over connections that stay open, and prints when each was due and how long after that its answer came, see PacedSeen: what a server that stands still keeps from being
 * sent counts as well. All are signed before the first is sent.
 * Input: the name of a file with one JSON object, see PacedOrder.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { RawConnection, succeeded } from './raw-connection.ts'
import { signedRequest, type Signer } from './signed-requests.ts'

export interface PacedCall { readonly action: string; readonly body: object }
export interface PacedOrder { readonly signer: Signer; readonly calls: readonly PacedCall[]; readonly aSecond: number; readonly connections: number }

/** In the order of the calls: epoch ms, and ms. */
export interface PacedSeen { readonly dueAt: readonly number[]; readonly took: readonly number[] }

const now = (): number => performance.timeOrigin + performance.now()

async function sendAll({ signer, calls, aSecond, connections }: PacedOrder): Promise<PacedSeen> {
  const { hostname, port } = new URL(signer.endpoint)
  const requests = calls.map(({ action, body }) => Buffer.from(signedRequest(signer, action, body)))
  const startedAt = now()
  const dueAt = requests.map((_, number) => startedAt + (number * 1000) / aSecond), took: number[] = []
  let sent = 0
  await Promise.all(Array.from({ length: connections }, async () => {
    const connection = await RawConnection.open(hostname, Number(port))
    for (let number = sent++; number < requests.length; number = sent++) {
      const at = dueAt[number] ?? 0
      if (at > now()) await sleep(at - now())
      await succeeded(connection.send(requests[number] ?? Buffer.alloc(0)))
      took[number] = now() - at
    }
    connection.close()
  }))
  return { dueAt, took }
}

if (import.meta.main) process.stdout.write(JSON.stringify(await sendAll(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as PacedOrder)), () => process.exit(0))
