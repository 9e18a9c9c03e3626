/**
 * Texts of others on a line with ours: at the console, in a terminal, in a mail or a file. What ends the line, steers
 * the terminal, or changes the order in which the text beside it is shown forges what we say there.
 */

const forging = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu
const lineBreaks = /[\t\n\v\f\r\u0085\u2028\u2029]+/g

/** Whether a text can stand on a line with others. */
export const isOneLine = (text: string): boolean => text.search(forging) === -1

/** A text without what it must not have on a line with others; a space stands where it had a line break. */
export const asOneLine = (text: string): string => text.replaceAll(lineBreaks, ' ').replaceAll(forging, '')

/**
 * A text without marks of direction, which a phone adds by itself when it fills in a name of a script that is read from
 * right to left. They show nothing, and a name is read the same without.
 */
export const withoutDirections = (text: string): string => text.replaceAll(/\p{Bidi_Control}/gu, '')

/**
 * Whether a reader sees anything: fillers and joiners of no width are letters, too, and a Braille cell may be blank. The
 * name of a person may be a dash or a picture alone.
 */
export const isVisible = (text: string): boolean =>
  /[\p{L}\p{N}\p{P}\p{S}]/u.test(text.replaceAll(/[\p{Default_Ignorable_Code_Point}\u2800]/gu, ''))

/** A text with what it must not have on a line written out, as JSON would: `\u001b`. */
export const writtenOut = (text: string): string =>
  text.replaceAll(forging, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
