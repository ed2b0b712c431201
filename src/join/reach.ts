import { connect } from 'node:net'
import type { JoinOptions } from './join-options.ts'
import { type Form, machineSecretOf } from './join-machine.ts'

const KUBELET_PORT = 10250
const PATIENCE_MS = 3_000

/**
 * Whether the way from here to the machine's kubelet is open, asked before anything listens there: a refusal comes from the machine itself and is as
 * good as an answer; silence, or a router's refusal, is a closed way. Only the address that asks is tried, or the one that it has in the overlay.
 */
export async function tellReach(options: JoinOptions, form: Form, callsFrom: string): Promise<string> {
  const address = await ownAddress(options, machineSecretOf(form), callsFrom)
  // Behind an address translation the question has no answer here.
  if (form.get('address') !== address) return 'ok'
  const way = await tryPort(address, KUBELET_PORT)
  return way === 'open' ? 'ok' : `Port ${KUBELET_PORT} of this machine is not reached from the server (${way}); open it, or logs and exec will not work.`
}

async function ownAddress({ store, overlay }: JoinOptions, secretHash: string, callsFrom: string): Promise<string> {
  const secret = overlay?.isOutside(callsFrom) ? await store.findMachineSecret(secretHash) : undefined
  return (secret && (await store.findNode(secret.nodeId))?.spec.address) ?? callsFrom
}

function tryPort(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PATIENCE_MS })
    const end = (way: string): void => {
      socket.destroy()
      resolve(way)
    }
    socket.once('connect', () => end('open'))
    socket.once('timeout', () => end(`no answer within ${PATIENCE_MS / 1000} s`))
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET' ? 'open' : (error.code ?? error.message)))
  })
}
