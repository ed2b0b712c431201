/** A server with one simulated region and a client that makes a fleet in it by signed calls, each a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from '#test/harness/command.ts'
import type { FleetOrder, Progress } from './simulated-client.ts'
import type { SimulatedAlone } from './simulated-server.ts'

export interface Running {
  readonly child: ChildProcess
  readonly said: SimulatedAlone
  /** Of its debugger, once it is asked for. */
  readonly inspectorPort: number
}

const children: ChildProcess[] = []

export async function startServer(folder: string): Promise<Running> {
  const inspectorPort = await freePort()
  const flags = [`--inspect-port=127.0.0.1:${inspectorPort}`, ...(process.env['BENCH_NODE'] ?? '').split(' ').filter(Boolean)]
  const child = spawn(process.execPath, [...flags, join(import.meta.dirname, 'simulated-server.ts'), folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), once(child, 'exit').then(() => { throw new Error('The server did not start') })]) as [string]
  return { child, said: JSON.parse(line) as SimulatedAlone, inspectorPort }
}

export async function endServer({ child }: Running, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  child.kill(signal)
  await once(child, 'exit')
}

/** What the client saw each time it looked, until all nodes are Running. */
export async function* makeFleet(order: FleetOrder): AsyncGenerator<Progress> {
  const client = spawn(process.execPath, [join(import.meta.dirname, 'simulated-client.ts'), JSON.stringify(order)], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(client)
  const ended = once(client, 'exit') as Promise<[number]>
  for await (const line of createInterface(client.stdout)) yield JSON.parse(line) as Progress
  const [code] = await ended
  if (code !== 0) throw new Error(`The client ended with ${code}`)
}

/** Whatever still runs. */
export function killAll(): void {
  for (const child of children) child.kill('SIGKILL')
}
