/** What this machine lacks to run the services of docker-compose.yml. */
import { services } from './compose.ts'
import { whyNoContainers } from './containers.ts'
import { recipes } from './recipes.ts'

/** The names of the services that are run: of Grafana there are no packages. */
export const runnable = Object.entries(services).flatMap(([name, { image }]) =>
  image === 'grafana/grafana:12.4.0' ? [] : [name],
)

/** One sentence for each thing; none where the services can run. */
export function missingForCompose(): string[] {
  const named = recipes({ 'ama-esim': '', 'ama-esim-simulators': '' })
  const why = runnable.map((name) => {
    const missing = named[services[name]?.image ?? '']?.missing
    return missing && `${name}: ${missing}`
  })
  return [...new Set([whyNoContainers(), ...why])].filter((each) => each !== undefined)
}
