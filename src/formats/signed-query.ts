/** Takes out of an address what signs it: it is a secret for a time, and says nothing of what lies there. */

/** Are the names that Amazon, Google, Azure and CloudFront have for the parts of a signature. */
const SIGNATURE =
  /^(x-amz-.*|x-goog-.*|awsaccesskeyid|googleaccessid|signature|expires|policy|key-pair-id|sig|se|sp|sv|sr|st|spr|sip|ske|skt|sks|skv|skoid|sktid)$/i

/** Does, among these names, stand for a signature: without it the others may mean anything. */
const MARK = /^(x-amz-signature|x-goog-signature|signature|sig)$/i

/** Gives an address of the web without its signature, where it has one; the rest of its query stays, since it may say which file is meant. */
export function withoutSignature(address: string): string {
  const [, before = '', query] = /^(https?:[^?#]*)\?([^#]*)/is.exec(address) ?? []
  if (query === undefined) return address
  const parts = query.split('&')
  const nameOf = (part: string) => part.replace(/=.*/s, '')
  if (!parts.some((part) => MARK.test(nameOf(part)))) return address
  const lasting = parts.filter((part) => !SIGNATURE.test(nameOf(part)))
  return lasting.length === 0 ? before : `${before}?${lasting.join('&')}`
}
