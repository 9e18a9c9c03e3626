/** A code in words: `refund_failed` and `refund-failed` become `refund failed`. */
export const plain = (code: string): string => code.replaceAll(/[_-]/g, ' ')
