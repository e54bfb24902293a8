import type { KeyObject } from 'node:crypto';
import { findMatchingKey, firstSecret, hexHmac, isHexSha256, textKey, textKeys } from './hmac.ts';
import { defineScheme } from './scheme.ts';
import type { Verifier } from './scheme.ts';
import { accept, readSingleHeader, reject, rejectMismatch } from './verification.ts';

/** The header of the MES's own scheme. */
export const MES_HEADER = 'x-mes-signature';

/** Bare lower-case hex of HMAC-SHA256 over the raw body. */
export type MesSigner = (body: string | Uint8Array) => string;

/**
 * A signer for the MES's own scheme. The key is the whole secret as text, a `whsec_` in front included.
 * The scheme signs no time and no id: a receiver needs its own protection against replays.
 * @throws SigningError `SECRET_MISSING`
 */
export function prepareMesSigner(secret: string): MesSigner {
  const key = textKey(secret);
  return (body) => hexHmac(key, '', body);
}

/** A verifier for the MES's own scheme. @throws SigningError `SECRET_MISSING` */
export function prepareMesVerifier(secrets: readonly string[]): Verifier {
  const keys = textKeys(secrets);
  return ({ body, headers }) => {
    const given = readSingleHeader(headers, MES_HEADER, 'missing_signature');
    if (typeof given !== 'string') return given;
    if (!isHexSha256(given)) {
      return reject(
        'malformed_signature',
        `The header ${MES_HEADER} is not a signature: send 64 lower-case hex characters and nothing else.`,
      );
    }
    const keyIndex = findMatchingKey(keys, [given], (key: KeyObject) => hexHmac(key, '', body));
    return keyIndex < 0 ? rejectMismatch(MES_HEADER) : accept(keyIndex, null);
  };
}

/** The MES's own scheme, `x-mes-signature`. */
export const mesScheme = defineScheme({
  name: 'mes',
  headers: () => ({ signature: MES_HEADER, timestamp: null, id: null }),
  prepareSigner({ secrets }) {
    const sign = prepareMesSigner(firstSecret(secrets));
    return ({ body }) => ({ [MES_HEADER]: sign(body) });
  },
  prepareVerifier: ({ secrets }) => prepareMesVerifier(secrets),
});
