/** What a translation must have: the names of the English messages, no more and no fewer. */
export type Translation<English> = { readonly [Name in keyof English]: string }
