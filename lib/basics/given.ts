/** What a member of a record holds; `undefined` where it is empty: real records have '' or null in all unused members. */
export const given = <T>(value: T): Exclude<T, null> | undefined =>
  value === null || value === '' ? undefined : (value as Exclude<T, null>)
