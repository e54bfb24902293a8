import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { command as signCommand } from '../../gateway/commands/sign.ts';
import { command as verifyCommand } from '../../gateway/commands/verify.ts';
import { generateKeyPair, generateSecret } from '../../gateway/signing/secret.ts';

const NOW_SECONDS = 1_614_265_330;
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
const body = '{"test": 2432232314}';
const good = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';

interface World {
  stdin?: string | Uint8Array;
  env?: Record<string, string>;
}

/** Runs a command as the command line would, and returns what a user sees. */
async function run(command: typeof signCommand, args: string[], world: World = {}) {
  let stdout = '';
  let stderr = '';
  const into = (take: (text: string) => void) =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        take(chunk.toString());
        done();
      },
    });
  const code = await command.run(args, {
    stdin: Readable.from([Buffer.from(world.stdin ?? body)]),
    stdout: into((text) => (stdout += text)),
    stderr: into((text) => (stderr += text)),
    now: () => NOW_SECONDS * 1000 + 999,
    env: world.env ?? {},
  });
  return { code, stdout, stderr };
}

const sign = (args: string[], world?: World) => run(signCommand, args, world);
const verify = (args: string[], world?: World) => run(verifyCommand, args, world);
const STANDARD = ['--scheme', 'standard', '--secret', secret, '--id', id];

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sign-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('hookline sign', () => {
  it('prints the headers, one per line, signed now', async () => {
    expect(await sign(STANDARD)).toEqual({
      code: 0,
      stdout: `webhook-id: ${id}\nwebhook-timestamp: ${NOW_SECONDS}\nwebhook-signature: ${good}\n`,
      stderr: '',
    });
  });

  it('prints them as JSON, with another time', async () => {
    const { stdout } = await sign([...STANDARD, '--json', '--timestamp', '1700000000']);
    expect(JSON.parse(stdout)).toEqual({
      'webhook-id': id,
      'webhook-timestamp': '1700000000',
      'webhook-signature': expect.stringMatching(/^v1,\S{44}$/),
    });
  });

  it('signs the bytes of a file untouched, the same as openssl does', async () => {
    const path = join(folder, 'body.bin');
    writeFileSync(path, Buffer.from([0xff, 0, 0x0d, 0x0a, 0xc3]));
    const openssl = execFileSync('openssl', [
      'dgst',
      '-sha256',
      '-hmac',
      'shop floor',
      '-r',
      path,
    ]).toString();
    const { stdout } = await sign(['--scheme', 'mes', '--secret', 'shop floor', '--body-file', path]);
    expect(stdout).toBe(`x-mes-signature: ${openssl.slice(0, 64)}\n`);
  });

  it('takes the secret from the environment, a flag goes first', async () => {
    const env = { HOOKLINE_SECRET: "It's a Secret to Everybody" };
    const stdin = 'Hello, World!';
    const github = await sign(['--scheme', 'github'], { env, stdin });
    expect(github.stdout).toBe(
      'x-hub-signature-256: sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17\n',
    );
    expect((await sign(['--scheme', 'github', '--secret', 'other'], { env, stdin })).stdout).not.toBe(
      github.stdout,
    );
  });

  it('makes an id up where none is given, and lists a signature of each secret', async () => {
    const args = ['--scheme', 'standard', '--secret', secret, '--secret', generateSecret()];
    expect((await sign(args)).stdout).toMatch(
      /^webhook-id: msg_[0-9a-f]{24}\n.*\nwebhook-signature: v1,\S+ v1,\S+\n$/,
    );
  });

  it('signs with a custom scheme', async () => {
    const content = ['--template', '{id}.{timestamp}.{body}', '--id-header', 'X-Id', '--id', 'evt-1'];
    const form = ['--header-name', 'X-Sig', '--prefix', 'v=', '--encoding', 'base64', '--digest', 'sha512'];
    const { stdout } = await sign(['--scheme', 'custom', '--secret', 's', ...form, ...content]);
    expect(stdout).toMatch(/^x-id: evt-1\nwebhook-timestamp: 1614265330\nx-sig: v=[A-Za-z0-9+/]{86}==\n$/);
  });

  it.each([
    [[], 'Give the scheme'],
    [
      ['--scheme', 'none', '--secret', 's'],
      'use one of mes, standard, maintainx, slack, github, stripe, custom',
    ],
    [['--scheme', 'mes'], 'HOOKLINE_SECRET'],
    [['--scheme', 'mes', '--secret', ''], 'The secret is empty'],
    [['--scheme', 'standard', '--secret', 'w'], 'not base64'],
    [['--scheme', 'standard', '--secret', 'whsec_%'], 'not base64'],
    [['--scheme', 'standard', '--secret', 'hwsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], 'not base64'],
    [['--scheme', 'standard', '--secret', 'whsec_AAAA'], '3 bytes'],
    [['--scheme', 'standard', '--secret', generateKeyPair().publicKey], 'public key'],
    [[...STANDARD, '--timestamp', '123abc'], '--timestamp must be a whole number'],
    [[...STANDARD, '--timestamp', '1614265330000'], 'Unix seconds'],
    [[...STANDARD.slice(0, -1), 'a.b'], 'webhookIdHeader'],
    [[...STANDARD, '--header', good], 'only goes with hookline verify'],
    [[...STANDARD, '--prefix', 'x'], 'only goes with --scheme custom'],
    [[...STANDARD, '--nonsense'], 'There is no flag --nonsense'],
    [['--scheme'], 'The flag --scheme is used wrongly'],
    [['--scheme', 'mes', '--secret', '--json'], 'The flag --secret is used wrongly'],
    [['--json=yes'], 'The flag --json is used wrongly'],
    [['--scheme', 'custom', '--secret', 's'], '--header-name'],
    [['--scheme', 'custom', '--secret', 's', '--header-name', 'a b'], 'HTTP token'],
    [
      ['--scheme', 'custom', '--secret', 's', '--header-name', 'a', '--digest', 'md5'],
      'sha256, sha384, sha512',
    ],
    [['--scheme', 'custom', '--secret', 's', '--header-name', 'a', '--template', 'x'], '{body}'],
    [
      ['--scheme', 'mes', '--secret', 's', '--body-file', '/nonexistent/body'],
      '/nonexistent/body cannot be read (ENOENT)',
    ],
  ])('exits 2 with one sentence for %j', async (args, part) => {
    const { code, stdout, stderr } = await sign(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(part);
    expect(stderr).toMatch(/^hookline sign: [^\n]+\.\n$/);
  });

  it('does not repeat a secret that was typed in the wrong place', async () => {
    const { code, stderr } = await sign(['--scheme', 'mes', 'secret-in-the-wrong-place']);
    expect(code).toBe(2);
    expect(stderr).not.toContain('secret-in-the-wrong-place');
  });
});

describe('hookline verify', () => {
  const args = ['--timestamp', String(NOW_SECONDS), '--header', good];

  it('prints valid and exits 0', async () => {
    expect(await verify([...STANDARD, ...args])).toEqual({ code: 0, stdout: 'valid\n', stderr: '' });
  });

  it('prints the reason and exits 1', async () => {
    const wrong = await verify([...STANDARD, ...args], { stdin: `${body}\n` });
    expect(wrong).toEqual({
      code: 1,
      stdout: expect.stringMatching(/^signature_mismatch: .+\.\n$/),
      stderr: '',
    });
    const json = await verify([...STANDARD, ...args, '--json'], { stdin: '' });
    expect(JSON.parse(json.stdout)).toMatchObject({ valid: false, reason: 'signature_mismatch' });
  });

  it.each([
    ['v1,', 'malformed_signature'],
    ['v1', 'malformed_signature'],
    [good.slice(0, -3), 'malformed_signature'],
    [`${good.slice(0, -2)}F=`, 'signature_mismatch'],
  ])('says of the signature %j: %s', async (header, reason) => {
    const { code, stdout } = await verify([
      ...STANDARD,
      '--timestamp',
      String(NOW_SECONDS),
      '--header',
      header,
    ]);
    expect({ code, reason: stdout.split(':')[0] }).toEqual({ code: 1, reason });
  });

  it('finds the good one in a list', async () => {
    const list = `v1,bad v2,bad ${good} v1,bad`;
    expect(await verify([...STANDARD, '--timestamp', String(NOW_SECONDS), '--header', list])).toHaveProperty(
      'code',
      0,
    );
  });

  it('says which header is missing, given twice or malformed', async () => {
    const reasonOf = async (flags: string[]) => (await verify(flags)).stdout.split(':')[0];
    expect(await reasonOf([...STANDARD, '--header', good])).toBe('missing_timestamp');
    expect(await reasonOf([...STANDARD.slice(0, -2), ...args])).toBe('missing_id');
    expect(await reasonOf([...STANDARD, '--timestamp', '1'])).toBe('missing_signature');
    expect(await reasonOf([...STANDARD, ...args, '--header', good])).toBe('repeated_header');
    expect(await reasonOf([...STANDARD, '--timestamp', '123abc', '--header', good])).toBe(
      'malformed_timestamp',
    );
  });

  it('measures the age from --now with --tolerance', async () => {
    const at = (nowSeconds: number, ...more: string[]) =>
      verify([...STANDARD, ...args, '--now', String(nowSeconds), ...more]);
    expect(await at(NOW_SECONDS + 300)).toHaveProperty('code', 0);
    expect(await at(NOW_SECONDS + 301)).toHaveProperty('code', 1);
    expect(await at(NOW_SECONDS - 301)).toHaveProperty('code', 1);
    expect(await at(NOW_SECONDS + 301, '--tolerance', '301')).toHaveProperty('code', 0);
    expect(await at(NOW_SECONDS + 1, '--tolerance', '0')).toHaveProperty('code', 1);
  });

  it('takes the headers by name too', async () => {
    const named = ['--header', `Webhook-Id: ${id}`, '--header', `webhook-timestamp:${NOW_SECONDS}`];
    const flags = [
      '--scheme',
      'standard',
      '--secret',
      secret,
      ...named,
      '--header',
      `webhook-signature: ${good}`,
    ];
    expect(await verify(flags)).toHaveProperty('stdout', 'valid\n');
  });

  it('takes a value that looks like a named header for a value where the custom prefix says so', async () => {
    const flags = ['--scheme', 'custom', '--secret', 's', '--header-name', 'x-sig', '--prefix', 'hmac: '];
    const value = (await sign(flags)).stdout.slice('x-sig: '.length).trimEnd();
    expect(await verify([...flags, '--header', value])).toHaveProperty('stdout', 'valid\n');
    expect(await verify([...flags, '--header', `X-Sig: ${value}`])).toHaveProperty('stdout', 'valid\n');
  });

  it('demands v1a where a public key is given, also without a secret', async () => {
    const keys = generateKeyPair();
    const signed = await sign(['--scheme', 'standard', '--secret', keys.privateKey, '--id', id, '--json']);
    const signature = (JSON.parse(signed.stdout) as Record<string, string>)['webhook-signature'] ?? '';
    const common = [
      '--scheme',
      'standard',
      '--id',
      id,
      '--timestamp',
      String(NOW_SECONDS),
      '--public-key',
      keys.publicKey,
    ];
    expect(await verify([...common, '--header', signature])).toHaveProperty('stdout', 'valid\n');
    expect(await verify([...common, '--header', `${good} ${signature}`])).toHaveProperty('code', 0);
    const v1 = await verify([...common, '--secret', secret, '--header', good]);
    expect(v1).toEqual({ code: 1, stdout: expect.stringMatching(/^unsupported_version: /), stderr: '' });
  });

  it.each(['mes', 'standard', 'maintainx', 'slack', 'github', 'stripe'])(
    'verifies what sign prints for %s',
    async (name) => {
      const flags = ['--scheme', name, '--secret', secret];
      const signed = await sign([...flags, '--uri', 'https://plant.example/x']);
      const headers = signed.stdout
        .trimEnd()
        .split('\n')
        .flatMap((line) => ['--header', line]);
      expect(await verify([...flags, '--uri', 'https://plant.example/x', ...headers])).toHaveProperty(
        'stdout',
        'valid\n',
      );
      expect(await verify([...flags, ...headers], { stdin: 'x' })).toHaveProperty('code', 1);
    },
  );

  it.each([
    [['--scheme', 'mes', '--header', 'x'], 'HOOKLINE_SECRET'],
    [['--scheme', 'mes', '--secret', 's', '--public-key', 'whpk_x'], '--scheme standard'],
    [['--scheme', 'standard', '--public-key', secret], 'whpk_'],
    [['--scheme', 'standard', '--secret', generateKeyPair().privateKey], 'private key'],
    [[...STANDARD, '--tolerance', '5m'], '--tolerance must be a whole number'],
    [[...STANDARD, '--now', '-1'], 'The flag --now is used wrongly'],
    [[...STANDARD, '--now=-1'], '--now must be a whole number'],
  ])('exits 2 with one sentence for %j', async (flags, part) => {
    const { code, stdout, stderr } = await verify(flags);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(part);
    expect(stderr).toMatch(/^hookline verify: [^\n]+\.\n$/);
  });
});

describe.each([signCommand, verifyCommand])('hookline $name --help', (command) => {
  it('prints every flag it takes, and exits 0 without a secret', async () => {
    const { code, stdout } = await run(command, ['--help']);
    expect(code).toBe(0);
    expect(stdout).toBe(command.usage);
    for (const flag of [
      '--scheme',
      '--secret',
      '--id',
      '--timestamp',
      '--now',
      '--body-file',
      '--json',
      '--template',
    ]) {
      expect(stdout).toContain(flag);
    }
    expect(await run(command, ['-h'])).toHaveProperty('code', 0);
  });
});
