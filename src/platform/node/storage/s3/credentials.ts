/** Says what S3 credentials are. */

/** Is what requests to S3 are signed with. */
export interface S3Credentials {
  /** Is the public half. */
  readonly accessKeyId: string
  /** Is the secret half. */
  readonly secretAccessKey: string
  /** Goes along with credentials that expire. */
  readonly sessionToken?: string
  /** Is when they expire, in milliseconds since 1970; undefined: never. */
  readonly expiresMs?: number
}
