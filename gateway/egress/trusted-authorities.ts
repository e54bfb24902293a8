import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, getCACertificates } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { HooklineError } from '../errors.ts';

/**
 * The default authorities and those of a PEM file. Made once and shared: building it for every connection
 * would parse some 150 certificates each time.
 * @throws HooklineError `CONFIGURATION` when the file cannot be read or holds no certificate
 */
export function trustAlso(caFile: string): SecureContext {
  return createSecureContext({ ca: [...getCACertificates('default'), ...readCertificates(caFile)] });
}

function readCertificates(caFile: string): string[] {
  let pem: string;
  try {
    pem = readFileSync(caFile, 'utf8');
  } catch (cause) {
    throw badFile(caFile, 'cannot be read', cause);
  }
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) throw badFile(caFile, 'holds no certificate');
  for (const certificate of certificates) {
    try {
      void new X509Certificate(certificate);
    } catch (cause) {
      throw badFile(caFile, 'holds a certificate that cannot be parsed', cause);
    }
  }
  return certificates;
}

function badFile(caFile: string, problem: string, cause?: unknown): HooklineError {
  return new HooklineError(
    'CONFIGURATION',
    `HOOKLINE_CA_FILE: ${caFile} ${problem}; accepted is a PEM file with one or more certificates`,
    { details: { setting: 'HOOKLINE_CA_FILE', value: caFile }, cause },
  );
}
