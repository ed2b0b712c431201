/**
 * A machine's SSH server as a program of its own; the password of root is on standard input.
 *
 * usage: ssh-server-process.ts ADDRESS PORT
 */
import { readFileSync } from 'node:fs'
import { SshServer } from './ssh-server.ts'

const [host = '', port = ''] = process.argv.slice(2)
await SshServer.listen({ host, port: Number(port), password: readFileSync(0, 'utf8').trim() })
process.stdout.write('listening\n')
