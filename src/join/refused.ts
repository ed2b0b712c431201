/** The answer to a machine that cannot be served: an HTTP status and one sentence, which its script prints as it is. */
export class JoinRefused extends Error {
  readonly kind = 'JoinRefused'
  readonly status: number
  constructor(status: 400 | 403 | 404 | 409 | 410 | 413 | 429 | 503, sentence: string, options?: ErrorOptions) {
    super(sentence, options)
    this.status = status
  }
}
