/**
 * Shares a reading among callers for a while, the callers that come during it included.
 * @param freshForMs from its beginning
 */
export function shareReading<Value>(freshForMs: number, read: (now: Date) => Promise<Value>): () => Promise<Value> {
  let last: { value: Promise<Value>; at: number } | undefined
  return () => {
    const now = Date.now()
    if (!last || now - last.at >= freshForMs) last = { value: read(new Date(now)), at: now }
    return last.value
  }
}
