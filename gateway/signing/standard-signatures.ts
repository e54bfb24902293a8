import { decodeStrictBase64 } from './strict-base64.ts';
import { MAX_SIGNATURES, reject } from './verification.ts';
import type { Rejection } from './verification.ts';

/** `v1` is HMAC-SHA256, `v1a` ed25519. */
export type StandardVersion = 'v1' | 'v1a';

/** The signatures of a header that could match, by version. */
export interface StandardSignatures {
  /** Padded base64 of 32 bytes, still as text. */
  v1: string[];
  /** 64 bytes each. */
  v1a: Buffer[];
}

/**
 * Reads `webhook-signature`: a list of `version,base64`, separated by spaces. Other versions than the accepted ones
 * are passed over, as the specification asks; so are broken entries beside whole ones.
 */
export function parseStandardSignatures(
  value: string,
  accepted: readonly StandardVersion[],
  header: string,
): StandardSignatures | Rejection {
  const entries = value.split(' ', MAX_SIGNATURES + 1);
  if (entries.length > MAX_SIGNATURES) {
    return reject(
      'too_many_signatures',
      `The header ${header} holds more than ${MAX_SIGNATURES} signatures: send only those of the secrets in use.`,
    );
  }
  const signatures: StandardSignatures = { v1: [], v1a: [] };
  let isAcceptedVersion = false;
  for (const entry of entries) {
    const comma = entry.indexOf(',');
    const version = comma < 0 ? entry : entry.slice(0, comma);
    if (!isOneOf(accepted, version)) continue;
    isAcceptedVersion = true;
    const text = comma < 0 ? '' : entry.slice(comma + 1);
    if (version === 'v1' && HMAC_SHA256.test(text)) signatures.v1.push(text);
    if (version === 'v1a' && ED25519.test(text)) {
      const bytes = decodeStrictBase64(text);
      if (bytes !== null) signatures.v1a.push(bytes);
    }
  }
  if (!isAcceptedVersion) {
    return reject(
      'unsupported_version',
      `The header ${header} has no ${accepted.join(' or ')} signature: sign with ${accepted.join(' or ')}.`,
    );
  }
  if (signatures.v1.length + signatures.v1a.length === 0) {
    return reject(
      'malformed_signature',
      `The header ${header} has no whole signature: send ${accepted[0] ?? 'v1'}, a comma and padded base64.`,
    );
  }
  return signatures;
}

const HMAC_SHA256 = /^[A-Za-z0-9+/]{43}=$/;
const ED25519 = /^[A-Za-z0-9+/]{86}==$/;

function isOneOf(accepted: readonly StandardVersion[], version: string): version is StandardVersion {
  return accepted.some((name) => name === version);
}
