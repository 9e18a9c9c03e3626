/**
 * The clients that are generated in Kotlin and Swift, and the programs of the quickstart that use them.
 * `npm test -- --all test/developer/clients.long.test.ts` needs Maven and JDK 17, minutes, and packages from Maven
 * Central. Kotlin is compiled and run. Swift is compiled where `swift` is on the PATH, which no package registry has.
 */
import { execFile } from 'node:child_process'
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { throwawayFolder } from '../../dev/throwaway-folder.ts'
import { shareStack } from '../harness/harness.ts'
import { lacks } from '../harness/optional/optional.ts'

const harness = await shareStack()
const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))
const page = await readFile(join(root, 'docs/quickstart.md'), 'utf8')
const snippets = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code ?? '')

const isThere = (program: string): Promise<boolean> =>
  run(program, ['--version']).then(
    () => true,
    () => false,
  )
const hasSwift = !lacks('Maven') && (await isThere('swift'))
const minutes = 60_000

/** Runs Maven, and fails with its own errors. */
async function maven(project: string, args: string[]): Promise<void> {
  const { stdout } = await run('mvn', ['-B', '-f', join(root, 'client', project), ...args], {
    maxBuffer: 64 * 1024 ** 2,
  }).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? String(error) }))
  expect(stdout.split('\n').filter((line) => line.includes('[ERROR]'))).toEqual([])
  expect(stdout).toContain('BUILD SUCCESS')
}

/** What a program does with a value that a later version has added, with more bytes than 32 bits hold, and a refusal. */
const later = `
import com.amaesim.client.apis.PackagesApi
import com.amaesim.client.infrastructure.Serializer
import com.amaesim.client.models.OrderReason
import com.amaesim.client.models.OrderStatus
import com.amaesim.client.models.Package

fun main() {
    val read = { json: String -> Serializer.gson.fromJson(json, Array<OrderStatus>::class.java).toList() }
    println(read("""["of_tomorrow", "delivered", null]"""))
    println(Serializer.gson.toJson(read("""["in_review"]""")))
    println(Serializer.gson.fromJson(""""of_tomorrow"""", OrderReason::class.java))
    println(Serializer.gson.fromJson("""{"dataBytes": 5368709120}""", Package::class.java).dataBytes)
    try {
        PackagesApi(System.getenv("AMA_API")).getPackages(cursor = "of another list")
    } catch (error: Exception) {
        val (problem, seconds) = problemOf(error) ?: throw error
        println("\${problem.code} \${problem.errors?.first()?.field} $seconds")
    }
}
`

test.skipIf(lacks('Maven'))(
  'the generated Kotlin client compiles with the programs of the quickstart, and buys an eSIM (skipped without --all, Maven or JDK 17)',
  { timeout: 10 * minutes },
  async () => {
    const folder = await throwawayFolder('ama-esim-kotlin-')
    try {
      const programs = join(folder, 'programs')
      const android = join(root, 'test/developer/android')
      await mkdir(programs)
      for (const name of await readdir(android)) await copyFile(join(android, name), join(programs, name))
      const [buy = '', pay = '', refused = ''] = snippets('kotlin')
      await writeFile(join(programs, 'Buy.kt'), buy)
      await writeFile(join(programs, 'Pay.kt'), pay)
      await writeFile(join(programs, 'Refused.kt'), refused)
      await writeFile(join(programs, 'Later.kt'), later)
      const target = join(folder, 'target')
      await maven('kotlin/pom.xml', [`-Doutput=${target}`, `-Dprograms=${programs}`, 'package'])
      const classes = `${target}/classes:${target}/libraries/*`
      const { stdout: read } = await run('java', ['-cp', classes, 'LaterKt'], {
        env: { PATH: process.env.PATH, AMA_API: harness.urls.api },
      })
      expect(read.trim().split('\n')).toEqual([
        '[unknown_default_open_api, delivered, null]',
        '["in_review"]',
        'unknown_default_open_api',
        '5368709120',
        'invalid_request cursor null',
      ])
      const { stdout } = await run('java', ['-cp', classes, 'BuyKt'], {
        env: {
          PATH: process.env.PATH,
          AMA_KEY: harness.service.token,
          AMA_API: harness.urls.api,
          STRIPE: harness.sims.stripe.url,
        },
      })
      expect(stdout.trim()).toMatch(/^delivered LPA:1\$/)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
)

test.skipIf(lacks('Maven'))(
  'the Swift client is generated and has what the programs of the quickstart call (skipped without --all, Maven or JDK 17)',
  { timeout: 10 * minutes },
  async () => {
    const folder = await throwawayFolder('ama-esim-swift-')
    try {
      await maven('swift/pom.xml', [`-Doutput=${folder}`, 'generate-resources'])
      const sources = join(folder, 'AmaEsim/Sources/AmaEsim')
      const [buy = '', pay = '', refused = ''] = snippets('swift')
      const calls = [...buy.matchAll(/(\w+API)\.(\w+)\(/g)]
      expect(calls.map(([, , name]) => name)).toEqual(['postAccounts', 'getPackages', 'postOrders', 'getOrdersId'])
      for (const [, api, name] of calls) {
        expect(await readFile(join(sources, 'APIs', `${api}.swift`), 'utf8')).toContain(`class func ${name}(`)
      }
      for (const model of ['PackagePrice', 'NewOrderExpectedAmount'])
        expect(await readFile(join(sources, `Models/${model}.swift`), 'utf8')).toContain('public var minor: Int64')
      const order = await readFile(join(sources, 'Models/Order.swift'), 'utf8')
      const sheet = await readFile(join(sources, 'Models/OrderPayment.swift'), 'utf8')
      for (const [, field] of buy.matchAll(/order\.(\w+)/g)) expect(order).toMatch(new RegExp(`public var ${field}: `))
      for (const [, field] of `${buy}${pay}`.matchAll(/payment\.(\w+)/g)) {
        expect(sheet).toMatch(new RegExp(`public var ${field}: `))
      }
      expect(refused).toContain('ErrorResponse.error(_, let body?, let answer, _)')
      expect(await readFile(join(sources, 'Infrastructure/Models.swift'), 'utf8')).toContain(
        'case error(Int, Data?, URLResponse?, Error)',
      )
      expect(await readFile(join(sources, 'Models/Problem.swift'), 'utf8')).toContain('public var code: ProblemCode')
      if (hasSwift)
        await run('swift', ['build', '--package-path', join(folder, 'AmaEsim')], { maxBuffer: 64 * 1024 ** 2 })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
)
