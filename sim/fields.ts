/** The fields of an object that was sent; undefined for anything else, such as a list. */
export const fieldsIn = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
