/** ISO 3166-1 alpha-2 of the EU and EEA: the policy promises hosting there (P7). */
const eea = new Set(
  'at be bg cy cz de dk ee es fi fr gr hr hu ie is it li lt lu lv mt nl no pl pt ro se si sk eu'.split(' '),
)

/** @param region as the setting HOSTING_REGION has it, beginning with a country or `eu` */
export const isInEea = (region: string): boolean => eea.has(region.slice(0, 2))
