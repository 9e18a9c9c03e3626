import { layoutHeaders } from '../../pages/layout.tsx'
import { endedNotice, noticeIn } from '../../sign-in/notice-cookie.ts'

const headers = layoutHeaders({ forms: true })

/** Answers with a page of an account, which says once what was just done. */
export function accountPage(publicUrl: string) {
  return async (
    header: (name: string) => string | undefined,
    render: (notice: string | undefined) => Promise<string> | string,
  ): Promise<{ status: 200; headers: Record<string, string>; raw: string }> => {
    const notice = noticeIn(header('cookie'), publicUrl)
    const raw = await render(notice)
    const said = notice === undefined ? {} : { 'Set-Cookie': endedNotice(publicUrl) }
    return { status: 200, headers: { ...headers, ...said }, raw }
  }
}
