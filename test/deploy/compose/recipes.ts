/**
 * How each image of docker-compose.yml is replaced by programs of this machine, which get the same command and
 * settings.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { goModules, temporalFolder, temporalSource } from '../../../dev/temporal/temporal-on-postgres.ts'

export interface Recipe {
  /** what the image's entrypoint does before the command, which follows it */
  entrypoint: string[]
  /** replaces the image's own command when the service has none */
  command?: string[]
  /** what the image sets */
  environment?: Record<string, string>
  /** `host|inside|ro` */
  mounts?: string[]
  workdir?: string
  /** how to get what is missing here; undefined when nothing is */
  missing?: string
}

const uiSource = join(goModules, 'github.com/temporalio/ui-server/v2@v2.54.1')

const has = (program: string): boolean => spawnSync('/bin/sh', ['-c', `command -v ${program}`]).status === 0
const orMissing = (isThere: boolean, how: string) => (isThere ? {} : { missing: how })
const fromGo = (program: string) =>
  orMissing(
    existsSync(join(temporalFolder, program)) && existsSync(temporalSource) && existsSync(uiSource),
    `ops/temporal/build.sh ${temporalFolder}`,
  )

const systemPath = '/usr/sbin:/usr/bin:/sbin:/bin'
const postgresPrograms = '/usr/lib/postgresql/15/bin'
/** The parts of the official image's entrypoint that compose relies on: user, database, scripts. */
const postgresEntrypoint = `
  set -eu
  data=/var/lib/postgresql/data
  chown postgres "$data"
  exec setpriv --reuid=postgres --regid=postgres --clear-groups bash -c '
    set -eu
    if [ ! -s "$0/PG_VERSION" ]; then
      initdb -D "$0" -U "$POSTGRES_USER" --auth-local=trust --auth-host=scram-sha-256 \\
        --pwfile=<(echo "$POSTGRES_PASSWORD") > /dev/null
      echo "host all all all scram-sha-256" >> "$0/pg_hba.conf"
      pg_ctl -D "$0" -o "-c listen_addresses=" -w start > /dev/null
      createdb -U "$POSTGRES_USER" "$POSTGRES_DB"
      for script in /docker-entrypoint-initdb.d/*.sql; do
        psql -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -f "$script"
      done
      pg_ctl -D "$0" -w stop > /dev/null
    fi
    exec "$@" -D "$0" -c "listen_addresses=*"
  ' "$data" "$@"`

/** @param images the folders with the content of our two images */
export function recipes(images: Record<'ama-esim' | 'ama-esim-simulators', string>): Record<string, Recipe> {
  const ours = (folder: string): Recipe => ({ entrypoint: [], mounts: [`${folder}|/app|rw`], workdir: '/app' })
  return {
    'ama-esim': ours(images['ama-esim']),
    'ama-esim-simulators': ours(images['ama-esim-simulators']),
    'postgres:15-bookworm': {
      entrypoint: ['bash', '-c', postgresEntrypoint, 'postgres'],
      environment: { PATH: `${postgresPrograms}:${systemPath}` },
      ...orMissing(existsSync(join(postgresPrograms, 'initdb')), 'apt-get install postgresql-15'),
    },
    'temporalio/admin-tools:1.32.0': {
      entrypoint: [],
      environment: { PATH: `${temporalFolder}:${systemPath}` },
      mounts: [`${join(temporalSource, 'schema')}|/etc/temporal/schema|ro`],
      ...fromGo('temporal-sql-tool'),
    },
    'temporalio/server:1.32.0': {
      entrypoint: [],
      // the image's own script, from the source of the server
      command: ['bash', join(temporalSource, 'docker/scripts/sh/entrypoint.sh')],
      environment: { PATH: `${temporalFolder}:${systemPath}` },
      // its health check
      ...orMissing(has('nc'), 'apt-get install netcat-openbsd'),
      ...fromGo('temporal-server'),
    },
    'temporalio/ui:2.54.1': {
      entrypoint: [],
      command: ['ui-server', '--env', 'docker', 'start'],
      environment: { PATH: `${temporalFolder}:${systemPath}` },
      workdir: uiSource,
      ...fromGo('ui-server'),
    },
    'caddy:2-alpine': {
      entrypoint: [],
      environment: { XDG_DATA_HOME: '/data', XDG_CONFIG_HOME: '/tmp' },
      ...orMissing(has('caddy'), 'apt-get install caddy'),
    },
    'prom/prometheus:v3.13.4': {
      entrypoint: ['prometheus'],
      ...orMissing(has('prometheus'), 'apt-get install prometheus'),
    },
    'grafana/grafana:12.4.0': { entrypoint: [], missing: 'no package of this machine has Grafana' },
  }
}
