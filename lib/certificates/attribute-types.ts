/**
 * The attribute types of a distinguished name that OpenSSL knows (3.0 to 3.5), by arc: number and the name that OpenSSL
 * prints, whose case counts. Where OpenSSL has no name for a type it prints the dotted object identifier.
 */
const arcs: Readonly<Record<string, string>> = {
  '2.5.4': `
    3:CN 4:SN 5:serialNumber 6:C 7:L 8:ST 9:street 10:O 11:OU 12:title 13:description 14:searchGuide
    15:businessCategory 16:postalAddress 17:postalCode 18:postOfficeBox 19:physicalDeliveryOfficeName
    20:telephoneNumber 21:telexNumber 22:teletexTerminalIdentifier 23:facsimileTelephoneNumber 24:x121Address
    25:internationaliSDNNumber 26:registeredAddress 27:destinationIndicator 28:preferredDeliveryMethod
    29:presentationAddress 30:supportedApplicationContext 31:member 32:owner 33:roleOccupant 34:seeAlso
    35:userPassword 36:userCertificate 37:cACertificate 38:authorityRevocationList 39:certificateRevocationList
    40:crossCertificatePair 41:name 42:GN 43:initials 44:generationQualifier 45:x500UniqueIdentifier
    46:dnQualifier 47:enhancedSearchGuide 48:protocolInformation 49:distinguishedName 50:uniqueMember
    51:houseIdentifier 52:supportedAlgorithms 53:deltaRevocationList 54:dmdName 65:pseudonym 72:role
    97:organizationIdentifier 98:c3 99:n3 100:dnsName
  `,
  '0.9.2342.19200300.100.1': `
    1:UID 2:textEncodedORAddress 3:mail 4:info 5:favouriteDrink 6:roomNumber 7:photo 8:userClass 9:host
    10:manager 11:documentIdentifier 12:documentTitle 13:documentVersion 14:documentAuthor 15:documentLocation
    20:homeTelephoneNumber 21:secretary 22:otherMailbox 23:lastModifiedTime 24:lastModifiedBy 25:DC 26:aRecord
    27:pilotAttributeType27 28:mXRecord 29:nSRecord 30:sOARecord 31:cNAMERecord 37:associatedDomain
    38:associatedName 39:homePostalAddress 40:personalTitle 41:mobileTelephoneNumber 42:pagerTelephoneNumber
    43:friendlyCountryName 44:uid 45:organizationalStatus 46:janetMailbox 47:mailPreferenceOption
    48:buildingName 49:dSAQuality 50:singleLevelQuality 51:subtreeMinimumQuality 52:subtreeMaximumQuality
    53:personalSignature 54:dITRedirect 55:audio 56:documentPublisher
  `,
  '1.2.840.113549.1.9': `
    1:emailAddress 2:unstructuredName 3:contentType 4:messageDigest 5:signingTime 6:countersignature
    7:challengePassword 8:unstructuredAddress 9:extendedCertificateAttributes 14:extReq 15:SMIME-CAPS
    20:friendlyName 21:localKeyID 52:id-aa-CMSAlgorithmProtection
  `,
  '1.3.6.1.4.1.311.60.2.1': '1:jurisdictionL 2:jurisdictionST 3:jurisdictionC',
  '1.2.643.100': '1:OGRN 3:SNILS 5:OGRNIP 111:subjectSignTool 112:issuerSignTool 113:classSignTool',
  '1.2.643.3.131.1': '1:INN',
  '1.3.6.1.5.5.7.9': `
    1:id-pda-dateOfBirth 2:id-pda-placeOfBirth 3:id-pda-gender 4:id-pda-countryOfCitizenship
    5:id-pda-countryOfResidence
  `,
  '2.5.1.5': '55:clearance',
  '1.3.6.1.4.1.311.20.2': '3:msUPN'
}

/** Further names in use: RFC 4514 §3, RFC 4519 §2, RFC 4524 §2, CA/Browser Forum EV Guidelines §7.1.4.2. */
const aliases: Readonly<Record<string, string>> = {
  CN: 'commonName',
  SN: 'surname',
  C: 'countryName',
  L: 'localityName',
  ST: 'S stateOrProvinceName',
  street: 'streetAddress',
  O: 'organizationName',
  OU: 'organizationalUnitName',
  title: 'T',
  GN: 'G givenName',
  generationQualifier: 'generation',
  c3: 'countryCode3c',
  n3: 'countryCode3n',
  UID: 'userId',
  mail: 'rfc822Mailbox',
  DC: 'domainComponent',
  uid: 'uniqueIdentifier',
  emailAddress: 'E email',
  jurisdictionL: 'jurisdictionLocalityName',
  jurisdictionST: 'jurisdictionStateOrProvinceName',
  jurisdictionC: 'jurisdictionCountryName'
}

const printed = Object.entries(arcs).flatMap(([arc, types]) =>
  [...types.matchAll(/(\d+):(\S+)/g)].map(([, number = '', name = '']) => [name, `${arc}.${number}`] as const)
)
const byPrinted = new Map(printed)
/** `uid` in any case is UID, userId (RFC 4514 §3), which stands first. */
const byAnyName = new Map<string, string>()
const nameOf = new Map<string, string>()
for (const [name, oid] of printed) {
  for (const one of [name, ...(aliases[name]?.split(' ') ?? [])]) {
    if (byAnyName.has(one.toLowerCase())) continue
    byAnyName.set(one.toLowerCase(), oid)
    if (!nameOf.has(oid)) nameOf.set(oid, one)
  }
}

const dotted = /^(?:[01]\.(?:[0-9]|[1-3][0-9])|2\.(?:0|[1-9][0-9]*))(?:\.(?:0|[1-9][0-9]*))+$/
const dottedOf = (text: string): string | undefined => (dotted.test(text) ? text : undefined)

/** The object identifier behind a name that a person wrote, in any case (RFC 4514 §3), or behind `OID.2.5.4.3`. */
export const typeByName = (text: string): string | undefined =>
  byAnyName.get(text.toLowerCase()) ?? dottedOf(text.replace(/^oid\./i, ''))

/**
 * The object identifier behind a name that OpenSSL printed. In its exact case: OpenSSL's `uid` is uniqueIdentifier,
 * and reading it as RFC 4514's `UID`, userId, would let one type imitate the other.
 */
export const typeByPrintedName = (text: string): string | undefined => byPrinted.get(text) ?? dottedOf(text)

/** How to write a type: its name, or the dotted object identifier. */
export const typeName = (oid: string): string => nameOf.get(oid) ?? oid
