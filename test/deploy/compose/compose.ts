/** docker-compose.yml, with its anchors and merges resolved. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

export interface Service {
  image: string
  command?: string[]
  environment?: Record<string, string>
  volumes?: string[]
  ports?: string[]
  depends_on?: Record<string, { condition: 'service_healthy' | 'service_completed_successfully' }>
  healthcheck?: { test?: string[]; disable?: boolean }
  build?: string | { context: string; dockerfile: string }
}

export const root = new URL('../../../', import.meta.url)

/** The file as a schema sees it. */
export const composeFile = parse(readFileSync(new URL('docker-compose.yml', root), 'utf8'), { merge: true }) as {
  services: Record<string, Service>
  volumes: Record<string, null>
}

export const services: Readonly<Record<string, Service>> = composeFile.services
