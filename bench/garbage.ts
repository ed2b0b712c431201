import { setTimeout as sleep } from 'node:timers/promises'

/** Has a Node process collect all its garbage, through the debugger that SIGUSR1 opens on the port it was started with; answers the bytes of what is left on its heap. */
export async function collectGarbage(pid: number, port: number): Promise<number> {
  process.kill(pid, 'SIGUSR1')
  const url = await debuggerOf(port)
  const socket = new WebSocket(url)
  await new Promise((resolve, reject) => { socket.addEventListener('open', resolve); socket.addEventListener('error', reject) })
  const ask = async (id: number, method: string): Promise<{ usedSize?: number }> => {
    const answered = new Promise<string>(resolve => { socket.addEventListener('message', ({ data }) => { resolve(String(data)) }, { once: true }) })
    socket.send(JSON.stringify({ id, method }))
    return (JSON.parse(await answered) as { result: { usedSize?: number } }).result
  }
  for (const round of [1, 2]) await ask(round, 'HeapProfiler.collectGarbage')
  const { usedSize = 0 } = await ask(3, 'Runtime.getHeapUsage')
  socket.close()
  await sleep(1_000)
  return usedSize
}

async function debuggerOf(port: number): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      const [target] = await (await fetch(`http://127.0.0.1:${port}/json/list`)).json() as { webSocketDebuggerUrl: string }[]
      if (target) return target.webSocketDebuggerUrl
    } catch (error) {
      if (attempt === 50) throw error // it opens a moment after the signal
    }
    await sleep(100)
  }
}
