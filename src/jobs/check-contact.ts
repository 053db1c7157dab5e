/** Judges the address under which web servers can reach whoever fetches from them. */

/** Throws RangeError for what nobody can be reached by. */
export function checkContact(contact: string): string {
  const isMail = /^(mailto:)?[^\s@()<>]+@[^\s@()<>]+\.[^\s@()<>]+$/.test(contact)
  const isPage = /^https?:\/\/[^\s()<>]+$/i.test(contact) && URL.canParse(contact)
  if ((isMail || isPage) && /^[\x21-\x7e]+$/.test(contact)) return contact
  throw new RangeError(
    `A contact is an address of mail or of a page, such as you@example.org or https://example.org/robot; got ${JSON.stringify(contact)}.`,
  )
}
