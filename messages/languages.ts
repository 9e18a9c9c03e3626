/** The languages that a person can choose. */
export const languages = ['en', 'de', 'sq'] as const
export type Language = (typeof languages)[number]

/** Of a person who has not said another, of operators and of banks. */
export const defaultLanguage: Language = 'en'

/** Each language in its own words, for the switch. */
export const languageNames: Record<Language, string> = { en: 'English', de: 'Deutsch', sq: 'Shqip' }

/** Unicode locales, which decide how dates and numbers look; Albanian as in Kosovo, where the day has 24 hours. */
export const locales: Record<Language, string> = { en: 'en-GB', de: 'de', sq: 'sq-XK' }

export const isLanguage = (value: unknown): value is Language => languages.some((language) => language === value)
