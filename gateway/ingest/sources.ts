import type { SecretBox } from '../access/secret-box.ts';
import type { Clock } from '../clock.ts';
import { HooklineError } from '../errors.ts';
import { dialects } from '../events/dialects.ts';
import type { DialectName } from '../events/dialect.ts';
import type { Source, SourceService } from '../services.ts';
import { generateSecret } from '../signing/secret.ts';
import type { RandomBytes } from '../signing/secret.ts';
import { createRecordMirror } from '../store/record-mirror.ts';
import type { RecordStore } from '../store/records.ts';
import { prepareSourceVerifier } from './source-verifier.ts';
import type { SourceVerifier } from './source-verifier.ts';

/** A source made ready for receiving. */
export interface SourceRuntime {
  readonly source: Source;
  readonly verify: SourceVerifier;
}

/** All sources, in memory and ready for use. */
export interface SourceRegistry extends SourceService, Disposable {
  /** By the name in the path `/webhooks/{source}`; null for one that does not exist. */
  sourceRuntime(name: string): SourceRuntime | null;
}

export interface SourceRegistryOptions {
  records: RecordStore;
  secretBox: SecretBox;
  clock: Clock;
  random: RandomBytes;
  /**
   * Secrets the operator set, by the source's name (WEBHOOK_SECRET is that of `mes`). They win over what is stored,
   * at each start.
   */
  givenSecrets: Readonly<Record<string, string>>;
}

/**
 * Reads the sources that are stored and, at the first start, makes those that exist from then on: `mes` and
 * `machinemetrics`, each with the secret that was set for it or a new one.
 * @throws CONFIGURATION where a secret was set for a source that does not exist, or a stored one cannot be opened
 */
export async function createSourceRegistry(options: SourceRegistryOptions): Promise<SourceRegistry> {
  const { records, secretBox, clock, random, givenSecrets } = options;
  const byName = new Map<string, SourceRuntime & { secret: string }>();
  const byId = new Map<string, Source>();

  const show = (id: string, { secret: sealed, ...stored }: StoredSource): void => {
    const source: Source = { id, ...stored };
    const secret = secretBox.open(sealed, purposeOf(id));
    byId.set(id, source);
    byName.set(source.name, {
      source,
      secret,
      verify: prepareSourceVerifier(source, secret, () => clock.now()),
    });
  };
  const mirror = await createRecordMirror<StoredSource>({
    records,
    clock,
    collection: 'sources',
    onChange: (id, record) => {
      // Sources are never deleted: the events that came through them name them.
      if (record !== undefined) show(id, record.value);
    },
  });
  for (const { id, value } of mirror.all()) show(id, value);

  for (const [name, dialect] of Object.entries(BUILT_IN)) {
    const id = `src_${name}`;
    const given = givenSecrets[name];
    await mirror.update(id, (stored) => {
      if (stored === undefined) {
        const secret = secretBox.seal(given ?? generateSecret(random), purposeOf(id));
        return {
          name,
          dialect,
          active: true,
          signature: defaultSignature(dialect),
          lenientJson: false,
          createdAt: clock.now(),
          secret,
        };
      }
      const isAsGiven = given === undefined || secretBox.open(stored.secret, purposeOf(id)) === given;
      return isAsGiven ? stored : { ...stored, secret: secretBox.seal(given, purposeOf(id)) };
    });
  }
  for (const name of Object.keys(givenSecrets)) {
    if (!byName.has(name)) throw unknownGiven(name, [...byName.keys()]);
  }

  return {
    list: () => [...byId.values()],
    find: (nameOrId) => byName.get(nameOrId)?.source ?? byId.get(nameOrId) ?? null,
    sourceRuntime: (name) => byName.get(name) ?? null,
    revealSecret(name) {
      const known = byName.get(name);
      if (known !== undefined) return known.secret;
      throw new HooklineError(
        'NOT_FOUND',
        `There is no source "${name.slice(0, 60)}". Sources are: ${[...byName.keys()].join(', ')}.`,
      );
    },
    [Symbol.dispose]: () => mirror.close(),
  };
}

interface StoredSource extends Omit<Source, 'id'> {
  /** Sealed. */
  secret: string;
}

/** What exists from the first start, with its dialect. */
const BUILT_IN: Readonly<Record<string, DialectName>> = { mes: 'machshop', machinemetrics: 'machinemetrics' };

function purposeOf(id: string): string {
  return `source/${id}`;
}

function defaultSignature(dialect: DialectName): Source['signature'] {
  const { headerName, ...rest } = dialects[dialect].signatureDefaults;
  return { header: headerName, ...rest };
}

function unknownGiven(name: string, names: readonly string[]): HooklineError {
  const setting = `HOOKLINE_SOURCE_${name.toUpperCase()}_SECRET`;
  return new HooklineError(
    'CONFIGURATION',
    `${setting} is set, but there is no source "${name}". Sources are: ${names.join(', ')}. Remove the setting or correct its name.`,
    { details: { setting } },
  );
}
