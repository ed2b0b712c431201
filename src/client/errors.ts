/** An answer of the API that is not a success: the catalogue's code and sentence. */
export class ApiError extends Error {
  readonly kind = 'ApiError'
  readonly code: string
  readonly status: number
  readonly requestId: string

  constructor(error: { code: string; message: string; status: number; requestId: string }) {
    super(error.message)
    this.code = error.code
    this.status = error.status
    this.requestId = error.requestId
  }
}

/** No answer came: nobody listens at the endpoint, or the connection ended. Whether the call was done is unknown unless `neverSent`. */
export class NoAnswer extends Error {
  readonly kind = 'NoAnswer'
  readonly neverSent: boolean

  constructor(message: string, neverSent: boolean, options?: ErrorOptions) {
    super(message, options)
    this.neverSent = neverSent
  }
}
