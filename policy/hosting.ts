/** P7: the servers are in the EU. ISO 3166-1 alpha-2 of the EU and EEA. */
const eea = new Set(
  'at be bg cy cz de dk ee es fi fr gr hr hu ie is it li lt lu lv mt nl no pl pt ro se si sk eu'.split(' '),
)

/** @param region the setting HOSTING_REGION, which begins with a country code or `eu` */
export const isInEea = (region: string): boolean => eea.has(region.slice(0, 2))
