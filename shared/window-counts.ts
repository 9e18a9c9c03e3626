interface WindowCount {
  totalHits: number
  resetTime: Date
}

/**
 * Counts by key in fixed windows, in memory: a store of express-rate-limit, whose own one returns its live count.
 * Simultaneous requests would all read the last one, and be refused together.
 */
export class WindowCounts {
  readonly localKeys = true
  readonly #windowMs: number
  readonly #sweep: NodeJS.Timeout
  readonly #counts = new Map<string, WindowCount>()

  constructor(windowMs: number) {
    this.#windowMs = windowMs
    this.#sweep = setInterval(() => this.#deleteEnded(), windowMs).unref()
  }

  get(key: string): WindowCount | undefined {
    const count = this.#counts.get(key)
    return count && count.resetTime.getTime() > Date.now() ? count : undefined
  }

  increment(key: string): WindowCount {
    const known = this.get(key)
    const count = {
      totalHits: (known?.totalHits ?? 0) + 1,
      resetTime: known?.resetTime ?? new Date(Date.now() + this.#windowMs),
    }
    this.#counts.set(key, count)
    return count
  }

  decrement(key: string): void {
    const known = this.get(key)
    if (known) this.#counts.set(key, { ...known, totalHits: Math.max(0, known.totalHits - 1) })
  }

  resetKey(key: string): void {
    this.#counts.delete(key)
  }

  shutdown(): void {
    clearInterval(this.#sweep)
    this.#counts.clear()
  }

  #deleteEnded(): void {
    const now = Date.now()
    for (const [key, { resetTime }] of this.#counts) if (resetTime.getTime() <= now) this.#counts.delete(key)
  }
}
