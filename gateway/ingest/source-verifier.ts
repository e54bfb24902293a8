import type { Source } from '../services.ts';
import { customScheme } from '../signing/custom.ts';
import { restringifiedBody } from '../signing/restringified-body.ts';
import type { Verifier } from '../signing/scheme.ts';
import type { IncomingHeaders, RejectionReason } from '../signing/verification.ts';

/** What became of a check. `leniently`: right only for the re-stringified JSON, not for the bytes that came. */
export type SourceVerification =
  | { valid: true; leniently: boolean }
  | { valid: false; reason: RejectionReason; message: string };

/**
 * Checks one request against the source's secret. Never throws.
 * @param body the bytes as they came
 * @param headers lower-case names
 */
export type SourceVerifier = (body: Uint8Array, headers: IncomingHeaders) => SourceVerification;

/**
 * Prepares the check of a source, so that a request costs one HMAC. Where the source is lenient, a signature that
 * does not match the bytes gets a second try over `JSON.stringify` of what they say: some senders sign that form
 * and send another.
 * @throws SigningError where the signature's settings cannot work
 */
export function prepareSourceVerifier(
  { signature, lenientJson }: Pick<Source, 'signature' | 'lenientJson'>,
  secret: string,
  now: () => number,
): SourceVerifier {
  const { header, ...options } = signature;
  const verify: Verifier = customScheme.prepareVerifier({
    secrets: [secret],
    custom: { headerName: header, ...options },
  });
  return (body, headers) => {
    const nowSeconds = now() / 1000;
    const strict = verify({ body, headers, nowSeconds });
    if (strict.valid) return STRICTLY_VALID;
    const { reason, message } = strict;
    if (lenientJson && reason === 'signature_mismatch') {
      const again = restringifiedBody(body);
      if (again !== null && verify({ body: again, headers, nowSeconds }).valid) return LENIENTLY_VALID;
    }
    return { valid: false, reason, message };
  };
}

const STRICTLY_VALID: SourceVerification = { valid: true, leniently: false };
const LENIENTLY_VALID: SourceVerification = { valid: true, leniently: true };
