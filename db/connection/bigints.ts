/** A `bigint` of a row, where it is far below 2^53: bytes, and prices in millionths. */
export const numberOrNull = (value: bigint | null): number | null => (value === null ? null : Number(value))
