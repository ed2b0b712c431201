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

/** What curl ends with where the server died while it answered: part of a file, no TLS, no answer, a connection that was cut. The script ends with none of these. */
const CUT = '18|35|52|56'

/**
 * The line as it is started on a machine that nobody watches but the server itself: where that is killed while the script is being fetched, it is fetched again. (A caller sees that, and repeats the line;
 * curl's own `--retry` waits for a server that refuses, and only newer ones know how to try again after anything else.)
 */
export function startedLine(line: string): string {
  // A line may end with a remark.
  return `for N in 1 2 3; do (${line}\n); C=$?; case $C in ${CUT}) sleep 2;; *) break;; esac; done; exit $C`
}
