/** A finding of `npm run doctor` about one thing. */
export interface Finding {
  about: string
  /** `not_asked`: a setting that the question needs is missing or wrong */
  state: 'ok' | 'fault' | 'not_asked'
  detail: string
  /** what to do about a fault */
  remedy?: string
}

/** A fault that says what to do. */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly remedy: string

  constructor(message: string, remedy: string) {
    super(message)
    this.remedy = remedy
  }
}
