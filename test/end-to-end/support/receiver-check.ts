import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { ReceivedRequest } from '../../support/http-receiver.ts';

/**
 * The check of the vendor's page, as it behaves: the parsed body is written as JSON again, signed, and the
 * hexadecimal texts are compared.
 */
export function verifySignature(payload: unknown, signature: string | undefined, secret: string): boolean {
  const own = createHmac('sha256', secret).update(JSON.stringify(payload)).digest('hex');
  return own === signature;
}

/**
 * Checks a delivery as two receivers would that know nothing of Hookline: one built from the vendor's page, one
 * with the reference library of Standard Webhooks.
 * @returns what they object to; empty where both accept it
 */
export function findObjections({ headers, body }: ReceivedRequest, secret: string): string[] {
  const text = body.toString('utf8');
  const objections: string[] = [];
  if (!verifySignature(JSON.parse(text), headers['x-mes-signature'], secret)) {
    objections.push('x-mes-signature is not that of the body');
  }
  try {
    new Webhook(secret).verify(text, headers);
  } catch (error) {
    objections.push(`standardwebhooks: ${(error as Error).message}`);
  }
  return objections;
}
