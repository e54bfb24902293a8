import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto';
import { HooklineError } from '../errors.ts';
import type { RandomBytes } from '../signing/secret.ts';
import type { RecordStore } from '../store/records.ts';

/** Keeps secrets at rest: what is stored can be read only with HOOKLINE_SECRET_KEY, and only as what it was stored. */
export interface SecretBox {
  /**
   * @param purpose what the secret is for, e.g. `endpoint/ep_x`; the same one opens it again, so that a sealed
   *   secret copied to another record is of no use there.
   * @returns printable text; another one each time
   */
  seal(secret: string, purpose: string): string;
  /** @throws CONFIGURATION where it was changed, belongs elsewhere or was sealed with another key */
  open(sealed: string, purpose: string): string;
}

/**
 * AES-256-GCM with a random nonce per secret and the purpose as associated data.
 * @param secretKey HOOKLINE_SECRET_KEY: 32 bytes as base64 or hex
 * @throws CONFIGURATION for a key of another form
 */
export function createSecretBox(secretKey: string, random: RandomBytes): SecretBox {
  const key = createSecretKey(parseSecretKey(secretKey));
  return {
    seal(secret, purpose) {
      const nonce = random(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(purpose, 'utf8'));
      const sealed = [nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()];
      return VERSION + Buffer.concat(sealed).toString('base64');
    },
    open(sealed, purpose) {
      if (!sealed.startsWith(VERSION)) throw cannotOpen(purpose);
      const bytes = Buffer.from(sealed.slice(VERSION.length), 'base64');
      if (bytes.length < NONCE_BYTES + TAG_BYTES) throw cannotOpen(purpose);
      const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(purpose, 'utf8')).setAuthTag(bytes.subarray(-TAG_BYTES));
      try {
        const secret = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
        return Buffer.concat([secret, decipher.final()]).toString('utf8');
      } catch (error) {
        throw cannotOpen(purpose, error);
      }
    },
  };
}

/**
 * Makes sure that the key is the one this data was sealed with, before anything else is read or written: the first
 * start stores a sealed probe, every later one opens it.
 * @throws CONFIGURATION for another key
 */
export async function checkSecretKey(records: RecordStore, secretBox: SecretBox): Promise<void> {
  const probe = {
    collection: 'installation',
    id: PROBE_ID,
    value: { sealed: secretBox.seal(PROBE, PROBE_PURPOSE) },
  };
  // Insert first: of two processes that start for the first time together, one checks against the other's probe.
  if ((await records.commit([{ ...probe, ifVersion: 0 }])).kind === 'committed') return;
  const stored = await records.get<typeof probe.value>(probe.collection, probe.id);
  try {
    secretBox.open(stored?.value.sealed ?? '', PROBE_PURPOSE);
  } catch (error) {
    throw new HooklineError(
      'CONFIGURATION',
      'HOOKLINE_SECRET_KEY is not the key that the secrets in this data directory were sealed with. ' +
        'Restore the key file that belongs to this data directory, or set HOOKLINE_SECRET_KEY to its content.',
      { details: { setting: 'HOOKLINE_SECRET_KEY' }, cause: error },
    );
  }
}

/**
 * The 32 bytes of a key given as text.
 * @throws CONFIGURATION for anything else; the message does not hold the value
 */
export function parseSecretKey(text: string): Uint8Array {
  const trimmed = text.trim();
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return Buffer.from(trimmed, 'hex');
  if (/^[\w+/-]{43}=?$/.test(trimmed)) return Buffer.from(trimmed, 'base64');
  throw new HooklineError(
    'CONFIGURATION',
    `HOOKLINE_SECRET_KEY is not a key: accepted are 32 bytes as 64 hex digits or as base64 (44 characters); it has ${trimmed.length} characters. ` +
      'Make one with: openssl rand -base64 32',
    { details: { setting: 'HOOKLINE_SECRET_KEY' } },
  );
}

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const VERSION = 'v1:';

const PROBE = 'hookline';
const PROBE_ID = 'secret-key-probe';
const PROBE_PURPOSE = `installation/${PROBE_ID}`;

function cannotOpen(purpose: string, cause?: unknown): HooklineError {
  return new HooklineError(
    'CONFIGURATION',
    `The stored secret of ${purpose} cannot be opened: it was changed, or sealed with another HOOKLINE_SECRET_KEY. ` +
      'Restore the data directory together with its key file, or give a new secret.',
    { details: { purpose }, cause },
  );
}
