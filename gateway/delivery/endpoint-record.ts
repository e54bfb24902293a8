import type { SecretBox } from '../access/secret-box.ts';
import type { Endpoint } from '../services.ts';
import { DEFAULT_SETTINGS } from './endpoint-settings.ts';

/** Everything that is known of an endpoint, its secrets in the clear: never leaves this process. */
export interface OpenEndpoint {
  endpoint: Endpoint;
  /** null for a flow: nothing is signed for it. */
  secret: string | null;
  /** Replaced ones that still sign, oldest first; until: Unix ms. */
  oldSecrets: { secret: string; until: number }[];
  /** The secret a flow declared last: declaring it again must not undo a rotation. */
  declaredSecret: string | null;
  /** The ed25519 key that signs too, `whsk_…`; null where none does. */
  privateKey: string | null;
}

/** As it is stored: its id is the record's, and what is secret is sealed. */
export interface StoredEndpoint extends Omit<OpenEndpoint, 'endpoint'> {
  endpoint: Omit<Endpoint, 'id'>;
}

/** Seals what is secret, each part for its own purpose. */
export function sealEndpoint(open: OpenEndpoint, secretBox: SecretBox): StoredEndpoint {
  const { id } = open.endpoint;
  return mapSecrets(open, (secret, part) => secretBox.seal(secret, `endpoint/${id}/${part}`));
}

/**
 * Opens what is sealed; what a record does not say, because an older version wrote it, is at its default.
 * @throws CONFIGURATION where a part cannot be opened
 */
export function openEndpoint(id: string, stored: ReadableEndpoint, secretBox: SecretBox): OpenEndpoint {
  const open = mapSecrets(completeRecord(stored), (sealed, part) =>
    secretBox.open(sealed, `endpoint/${id}/${part}`),
  );
  return { ...open, endpoint: { id, ...open.endpoint } };
}

/** What `openEndpoint` reads: a record of an older version may lack what has a default. */
export interface ReadableEndpoint extends Omit<StoredEndpoint, 'endpoint' | 'privateKey'> {
  endpoint: Omit<Endpoint, 'id' | MemberWithDefault> & Partial<Pick<Endpoint, MemberWithDefault>>;
  privateKey?: string | null;
  /** Where it was kept before it became part of the endpoint. */
  disabledReason?: string | null;
}

type MemberWithDefault = keyof typeof DEFAULT_SETTINGS | 'publicKey' | 'disabledReason';

function completeRecord({ disabledReason = null, ...stored }: ReadableEndpoint): StoredEndpoint {
  const endpoint = { ...DEFAULT_SETTINGS, publicKey: null, disabledReason, ...stored.endpoint };
  return { privateKey: null, ...stored, endpoint };
}

function mapSecrets(
  from: Omit<OpenEndpoint, 'endpoint'> & { endpoint: Omit<Endpoint, 'id'> & { id?: string } },
  map: (secret: string, part: string) => string,
): StoredEndpoint {
  const { id: _, ...endpoint } = from.endpoint;
  const optional = (secret: string | null, part: string): string | null => secret && map(secret, part);
  return {
    ...from,
    secret: optional(from.secret, 'secret'),
    oldSecrets: from.oldSecrets.map(({ secret, until }) => ({ secret: map(secret, 'secret'), until })),
    declaredSecret: optional(from.declaredSecret, 'declared-secret'),
    privateKey: optional(from.privateKey, 'private-key'),
    endpoint: {
      ...endpoint,
      url: endpoint.urlIsSecret ? map(endpoint.url, 'url') : endpoint.url,
      headers: endpoint.headers.map((header) =>
        header.secret ? { ...header, value: map(header.value, `header/${header.name}`) } : header,
      ),
    },
  };
}
