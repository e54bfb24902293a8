import type { InspectedRequest } from '../services.ts';
import { MES_HEADER, mesScheme } from '../signing/mes.ts';
import type { SignatureScheme } from '../signing/scheme.ts';
import { SigningError } from '../signing/signing-error.ts';
import { STANDARD_SIGNATURE_HEADER, standardScheme } from '../signing/standard.ts';
import type { IncomingHeaders, Verification } from '../signing/verification.ts';

/** An endpoint that delivers to a bin; its secrets are the ones a signature there can be made with. */
export interface SigningEndpoint {
  id: string;
  /** The one in use first, then those being rotated out. */
  secrets: readonly string[];
}

/** What has to be known of a request to check its signatures. */
export interface RequestToCheck {
  /** The bytes as they came. */
  body: Uint8Array;
  /** Lower-case names. */
  headers: IncomingHeaders;
  nowSeconds: number;
}

/**
 * Checks the signatures that a request carries the way its receiver would, and says in plain words what is wrong.
 * Right is a request that carries at least one signature and no wrong one.
 * @param endpoints those that deliver to the bin
 * @returns null where none does: then there is no secret to check with
 */
export function checkSignatures(
  request: RequestToCheck,
  endpoints: readonly SigningEndpoint[],
): InspectedRequest['signature'] {
  if (endpoints.length === 0) return null;
  const present = SCHEMES.filter(({ header }) => request.headers[header] !== undefined);
  if (present.length === 0) {
    const names = SCHEMES.map(({ header }) => header).join(' nor ');
    return { valid: false, schemes: [], message: `The request is not signed: it has neither ${names}.` };
  }
  const results = present.map(({ header, scheme }) => ({
    scheme,
    ...checkScheme(header, scheme, request, endpoints),
  }));
  return {
    valid: results.every(({ valid }) => valid),
    schemes: results.filter(({ valid }) => valid).map(({ scheme }) => scheme.name),
    message: results.map(({ message }) => message).join(' '),
  };
}

/** What we sign with. */
const SCHEMES: readonly { header: string; scheme: SignatureScheme }[] = [
  { header: MES_HEADER, scheme: mesScheme },
  { header: STANDARD_SIGNATURE_HEADER, scheme: standardScheme },
];

function checkScheme(
  header: string,
  scheme: SignatureScheme,
  request: RequestToCheck,
  endpoints: readonly SigningEndpoint[],
): { valid: boolean; message: string } {
  let message = `The signature in ${header} cannot be made with any secret in use here: give the endpoint a secret of whsec_ and base64.`;
  for (const { id, secrets } of endpoints) {
    for (const [index, secret] of secrets.entries()) {
      const verification = verifyWith(scheme, secret, request);
      if (verification === null) continue;
      if (verification.valid) {
        const which = index === 0 ? 'the secret' : 'an older secret, still valid,';
        return { valid: true, message: `${header} is right, made with ${which} of ${id}.` };
      }
      ({ message } = verification);
    }
  }
  return { valid: false, message };
}

/** @returns null where the scheme has no use for this secret */
function verifyWith(scheme: SignatureScheme, secret: string, request: RequestToCheck): Verification | null {
  try {
    return scheme.verify({ ...request, secrets: [secret] });
  } catch (error) {
    if (error instanceof SigningError) return null;
    throw error;
  }
}
