// The common end of the JavaScript programs: one case a line on stdin, one result a line on stdout.
import { createInterface } from 'node:readline'

/** Calls `fetchToken` for each case; it resolves to the access token, or rejects as its library does. */
export async function answerCases(fetchToken) {
  for await (const line of createInterface({ input: process.stdin })) {
    const result = await fetchToken(JSON.parse(line)).then(
      (token) => ({ token }),
      (error) => ({ error: `${error.name}: ${error.error_description ?? error.message}`.slice(0, 300) })
    )
    console.log(JSON.stringify(result))
  }
}
