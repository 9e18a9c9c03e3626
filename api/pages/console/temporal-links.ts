/** Links into Temporal's Web UI. */

export interface TemporalUi {
  /** undefined where the setting is missing: then nothing is linked */
  url: string | undefined
  namespace: string
}

function inNamespace({ url, namespace }: TemporalUi, path: string): string | undefined {
  return url && new URL(`namespaces/${encodeURIComponent(namespace)}/${path}`, url.replace(/\/?$/, '/')).href
}

/** @param runId by default the newest run of this id */
export const runLink = (ui: TemporalUi, workflowId: string, runId?: string): string | undefined =>
  inNamespace(ui, `workflows/${encodeURIComponent(workflowId)}${runId === undefined ? '' : `/${runId}`}`)

/** All runs of an account, by its `AccountRef`. */
export const accountRunsLink = (ui: TemporalUi, accountRef: string): string | undefined =>
  inNamespace(ui, `workflows?query=${encodeURIComponent(`AccountRef = '${accountRef}'`)}`)
