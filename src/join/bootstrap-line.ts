import { createHash, createPublicKey } from 'node:crypto'

/** The pin of a TLS key as curl's `--pinnedpubkey` takes it: base64 of the SHA-256 of its public half. `keyPem`: private or public. */
export function publicKeyPin(keyPem: string): string {
  return createHash('sha256').update(createPublicKey(keyPem).export({ type: 'spki', format: 'der' })).digest('base64')
}

/**
 * The one line that is run as root on a machine, the `BootstrapScript` of the API. The pin holds the first contact (curl checks the key of the
 * server itself, so `-k` takes nothing away); the script is fetched whole before it runs, since a pipe would run half of it. A server that is just
 * being started again is waited for.
 */
export function bootstrapLine(options: { url: string; pin: string; token: string }): string {
  return `F=$(mktemp) && curl -fsSk --pinnedpubkey 'sha256//${options.pin}' --retry 4 --retry-connrefused ${options.url}/join/script/${options.token} -o "$F" && sh "$F"`
}
