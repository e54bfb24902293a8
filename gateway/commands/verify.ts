import type { SchemeHeaders } from '../signing/scheme.ts';
import { reportUsageErrors, UsageError } from './command.ts';
import type { Command } from './command.ts';
import {
  asUsage,
  customOf,
  parseSigningFlags,
  readBody,
  requireSecrets,
  schemeOf,
  secondsOf,
  secretsOf,
  SHARED_USAGE,
} from './signing-flags.ts';
import type { SigningFlags } from './signing-flags.ts';

const USAGE = `hookline verify --scheme NAME --secret S --header VALUE [flags] < body

Prints "valid" and exits 0, or prints the reason and exits 1.

  --header VALUE      the value of the signature header; other headers as "Name: value",
                      may be given several times
  --id ID             the value of webhook-id (standard; custom with {id})
  --timestamp T       the value of the timestamp header (standard, slack; custom with {timestamp})
  --now T             what time "now" is, Unix seconds
  --tolerance SECONDS how far the signed time may lie from now, default 300
  --public-key K      standard: a whpk_ key; demands a v1a signature, the secrets do not count
${SHARED_USAGE}
Example:
  hookline verify --scheme github --header sha256=... --body-file body.json
`;

/** `hookline verify`: is this body signed with this secret? */
export const command: Command = {
  name: 'verify',
  summary: 'check the signature of a body',
  usage: USAGE,
  run: (args, io) =>
    reportUsageErrors('verify', io, async () => {
      const flags = parseSigningFlags(args);
      if (flags.help === true) {
        io.stdout.write(USAGE);
        return 0;
      }
      const scheme = schemeOf(flags);
      const custom = customOf(flags);
      const publicKeys = flags['public-key'];
      if (publicKeys !== undefined && scheme.name !== 'standard') {
        throw new UsageError('The flag --public-key only goes with --scheme standard.');
      }
      const secrets = secretsOf(flags, io);
      if (publicKeys === undefined) requireSecrets(secrets);
      const nowSeconds = flags.now === undefined ? io.now() / 1000 : secondsOf(flags.now, 'now');
      const toleranceSeconds =
        flags.tolerance === undefined ? undefined : secondsOf(flags.tolerance, 'tolerance');
      const verify = asUsage(() => scheme.prepareVerifier({ secrets, publicKeys, toleranceSeconds, custom }));
      const headers = headersOf(
        flags,
        asUsage(() => scheme.headers(custom)),
      );
      const verification = verify({ body: await readBody(flags, io), headers, nowSeconds, uri: flags.uri });
      if (flags.json === true) io.stdout.write(`${JSON.stringify(verification)}\n`);
      else
        io.stdout.write(verification.valid ? 'valid\n' : `${verification.reason}: ${verification.message}\n`);
      return verification.valid ? 0 : 1;
    }),
};

/** The headers of the request that the flags describe; one that comes twice stays twice. */
function headersOf(flags: SigningFlags, names: SchemeHeaders): Record<string, string | string[]> {
  const given: [string, string][] = (flags.header ?? []).map((text) => {
    const named = NAMED_HEADER.exec(text);
    // A prefix of a custom scheme may look like a name.
    const isValue = named === null || ((flags.prefix ?? '') !== '' && text.startsWith(flags.prefix ?? ''));
    return isValue ? [names.signature, text] : [(named[1] ?? '').toLowerCase(), named[2] ?? ''];
  });
  if (flags.id !== undefined && names.id !== null) given.push([names.id, flags.id]);
  if (flags.timestamp !== undefined && names.timestamp !== null)
    given.push([names.timestamp, flags.timestamp]);
  const headers: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  for (const [name, value] of given) {
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  return headers;
}

const NAMED_HEADER = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*)$/s;
