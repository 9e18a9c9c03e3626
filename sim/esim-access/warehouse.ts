/** The packages for sale with their prices and stock, and the partner's prepaid balance. */
import { type CataloguePackage, createCatalogue } from './catalogue.ts'
import { outcomeOf } from './test-packages.ts'
import { Refusal } from './wire.ts'

const FIRST_BALANCE = 1_000_000_000

export interface KeptWarehouse {
  balance: number
  outOfStock: Set<string>
}

export function createWarehouse() {
  let catalogue = createCatalogue()
  let byCode = indexed(catalogue)
  let balance = FIRST_BALANCE
  const outOfStock = new Set<string>()

  /** The package with a code or slug. A base package and its top-up share a slug, which finds the base package. */
  function find(code: string): CataloguePackage {
    const found = byCode.get(code)
    if (!found) throw new Refusal('310241')
    return found
  }

  let odd: { entries: unknown[]; alone: boolean } = { entries: [], alone: false }

  return {
    find,
    catalogue: () => catalogue,
    inStock: ({ packageCode }: CataloguePackage) =>
      !outOfStock.has(packageCode) && outcomeOf(packageCode) !== 'out_of_stock',
    balance: () => balance,
    /** Takes a price from the balance; a negative price is returned to it. */
    charge(price: number): void {
      if (price > balance) throw new Refusal('200007')
      balance -= price
    },
    setBalance(amount: number): void {
      balance = amount
    },
    setStock(code: string | undefined, out: boolean): void {
      const codes = code === undefined ? [...byCode.values()] : [find(code)]
      for (const { packageCode } of codes) {
        if (out) outOfStock.add(packageCode)
        else outOfStock.delete(packageCode)
      }
    },
    /** Entries that each package list has beside the packages, or instead of them. */
    odd: (): { entries: unknown[]; alone: boolean } => odd,
    setOdd(entries: unknown[], alone: boolean): void {
      odd = { entries, alone }
    },
    setPrice(code: string, price: number): void {
      find(code).price = price
    },
    save: (): KeptWarehouse => ({ balance, outOfStock }),
    load(state: KeptWarehouse): void {
      balance = state.balance
      for (const code of state.outOfStock) outOfStock.add(code)
    },
    reset(): void {
      catalogue = createCatalogue()
      byCode = indexed(catalogue)
      balance = FIRST_BALANCE
      outOfStock.clear()
      odd = { entries: [], alone: false }
    },
  }
}

function indexed({ base, topUps }: ReturnType<typeof createCatalogue>): Map<string, CataloguePackage> {
  return new Map([
    ...topUps.map((each) => [each.packageCode, each] as const),
    ...base.flatMap((each) => [[each.packageCode, each] as const, [each.slug, each] as const]),
  ])
}
