/** The form of a translation: the names of the English messages, no more and no fewer. */
export type Translation<English> = { readonly [Name in keyof English]: string }
