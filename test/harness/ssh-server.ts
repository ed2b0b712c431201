import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import ssh2, { type AuthContext, type Server } from 'ssh2'

export interface SshServerOptions {
  readonly user?: string
  readonly password: string
  readonly host?: string
  readonly port?: number
  /** Asked for as PAM asks for it. */
  readonly way?: 'password' | 'keyboard-interactive'
  /** What becomes of a command; by default it is run by `sh`. */
  readonly takes?: 'all' | 'nothing'
}

/** A machine's SSH server: one user, one password, commands run by `sh`. */
export class SshServer {
  readonly passwords: string[] = []
  readonly commands: string[] = []
  readonly #server: Server

  private constructor(options: SshServerOptions) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1', privateKeyEncoding: { type: 'sec1', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } })
    this.#server = new ssh2.Server({ hostKeys: [privateKey] }, client => {
      client.on('error', () => {}) // whoever went without a word
      client.on('authentication', context => { this.#authenticate(context, options) })
      client.on('session', accept => {
        accept().on('exec', (take, refuse, { command }) => {
          this.commands.push(command)
          if (options.takes === 'nothing') return refuse()
          const channel = take(), child = spawn('/bin/sh', ['-c', command], { stdio: ['pipe', 'pipe', 'pipe'] })
          child.stdin.end()
          child.stdout.on('data', (chunk: Buffer) => channel.write(chunk))
          child.stderr.on('data', (chunk: Buffer) => channel.stderr.write(chunk))
          child.on('close', code => {
            channel.exit(code ?? 255)
            channel.end()
          })
        })
      })
    })
  }

  static async listen(options: SshServerOptions): Promise<SshServer> {
    const server = new SshServer(options)
    server.#server.listen(options.port ?? 0, options.host ?? '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  close(): void {
    this.#server.close()
  }

  #authenticate(context: AuthContext, { user = 'root', password, way = 'password' }: SshServerOptions): void {
    if (context.method !== way) return context.reject([way])
    const judge = (shown: string | undefined): void => {
      this.passwords.push(shown ?? '')
      if (context.username === user && shown === password) context.accept()
      else context.reject([way])
    }
    if (context.method === 'password') judge(context.password)
    else if (context.method === 'keyboard-interactive') context.prompt([{ prompt: 'Password: ', echo: false }], answers => { judge(answers[0]) })
  }
}
