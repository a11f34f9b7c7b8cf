/** Whether each label of a host name is one of DNS: 1 to 63 letters, digits, hyphens and underscores, in any case (RFC 1035 §2.3.1). */
export const isDnsName = (name: string): boolean =>
  name.length <= 253 && name.split('.').every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label))
