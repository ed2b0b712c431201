import { setTimeout as sleep } from 'node:timers/promises'

/** Has a Node process collect all its garbage, through the debugger that SIGUSR1 opens on the port it was started with. */
export async function collectGarbage(pid: number, port: number): Promise<void> {
  process.kill(pid, 'SIGUSR1')
  const url = await debuggerOf(port)
  const socket = new WebSocket(url)
  await new Promise((resolve, reject) => { socket.addEventListener('open', resolve); socket.addEventListener('error', reject) })
  for (let round = 1; round <= 2; round++) {
    const answered = new Promise(resolve => { socket.addEventListener('message', resolve, { once: true }) })
    socket.send(JSON.stringify({ id: round, method: 'HeapProfiler.collectGarbage' }))
    await answered
  }
  socket.close()
  await sleep(1_000)
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
