/**
 * The certificate authorities that this process trusts, as a file. libpq has no list of its own: without a file it
 * refuses `sslmode=verify-full`, with which our own connections verify by Node's list.
 */
import { rmSync } from 'node:fs'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { propertyOf } from '../../shared/keys-of.ts'

let written: Promise<string> | undefined

/** The path of the file, which is there until the process ends. */
export function trustedRoots(): Promise<string> {
  written ??= write().catch((error: unknown) => {
    written = undefined
    throw error
  })
  return written
}

async function write(): Promise<string> {
  const trusted = certificates() ?? [...tls.rootCertificates, await extraCertificates()]
  const folder = await mkdtemp(join(tmpdir(), 'ama-esim-roots-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'roots.pem')
  await writeFile(path, trusted.join('\n'))
  return path
}

/** Node says whom it trusts from version 22.15 on. */
function certificates(): readonly string[] | undefined {
  const list = propertyOf(tls, 'getCACertificates')
  const found: unknown = typeof list === 'function' ? Reflect.apply(list, tls, ['default']) : undefined
  return Array.isArray(found) ? found.filter((each) => typeof each === 'string') : undefined
}

/** Node goes on without a file that it cannot read, and so does this. */
async function extraCertificates(): Promise<string> {
  const file = process.env.NODE_EXTRA_CA_CERTS
  return file ? await readFile(file, 'utf8').catch(() => '') : ''
}
