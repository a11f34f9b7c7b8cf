/** What one reader of a refusal is told first: in the log, by the command, on the page. */
export interface Said {
  reason: string | undefined
  /** The first failed check, with its facts and its advice. */
  text: string
  /** What is to be sent to the partner. */
  partner: string
  /** The sentence that stands first. */
  advice: string | undefined
}

/** What is right, written beforehand. */
export interface RightWords {
  reason: string
  cause: RegExp
  fix: RegExp
  tell: RegExp
  misleads?: RegExp | undefined
}

/**
 * How far a reader comes. 0: another reason than the right one, or words that lead elsewhere. 1: the right reason alone.
 * 2: the cause and the fix, which a note beside "accepted" may tell. 3: also a sentence to send the partner.
 */
export function scoreOf({ reason, text, partner }: Said, right: RightWords): 0 | 1 | 2 | 3 {
  // Accepted as of when it was made, and a note says why the server may have refused it
  if (reason === undefined) return right.cause.test(text) && right.fix.test(text) ? 2 : 0
  if (reason !== right.reason || right.misleads?.test(text) === true) return 0
  if (!right.cause.test(text) || !right.fix.test(text)) return 1
  return right.tell.test(partner) ? 3 : 2
}
