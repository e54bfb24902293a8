import { randomBytes } from 'node:crypto';
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

const USAGE = `hookline sign --scheme NAME --secret S [flags] < body

Prints the headers that go with a body, one "name: value" per line.

  --id ID             the message's id (standard; custom with {id}); made up where absent
  --timestamp T       the time to sign, Unix seconds; now where absent
  --now T             what time "now" is, Unix seconds
${SHARED_USAGE}
Give --secret a whsk_ private key to sign standard v1a.

Example:
  printf '{"test":1}' | HOOKLINE_SECRET=whsec_... hookline sign --scheme standard --id msg_1
`;

/** `hookline sign`: the headers of a signed body. */
export const command: Command = {
  name: 'sign',
  summary: 'print the signature headers of a body',
  usage: USAGE,
  run: (args, io) =>
    reportUsageErrors('sign', io, async () => {
      const flags = parseSigningFlags(args);
      if (flags.help === true) {
        io.stdout.write(USAGE);
        return 0;
      }
      const scheme = schemeOf(flags);
      const stray = (['header', 'tolerance', 'public-key'] as const).find(
        (name) => flags[name] !== undefined,
      );
      if (stray !== undefined) throw new UsageError(`The flag --${stray} only goes with hookline verify.`);
      const secrets = requireSecrets(secretsOf(flags, io));
      const sign = asUsage(() => scheme.prepareSigner({ secrets, custom: customOf(flags) }));
      const nowSeconds = flags.now === undefined ? Math.floor(io.now() / 1000) : secondsOf(flags.now, 'now');
      const timestamp = flags.timestamp === undefined ? nowSeconds : secondsOf(flags.timestamp, 'timestamp');
      const id = flags.id ?? `msg_${randomBytes(12).toString('hex')}`;
      const body = await readBody(flags, io);
      const headers = asUsage(() => sign({ body, id, timestamp, uri: flags.uri }));
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`);
      io.stdout.write(flags.json === true ? `${JSON.stringify(headers)}\n` : lines.join(''));
      return 0;
    }),
};
