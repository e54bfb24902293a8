import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SCHEMES } from '../../gateway/signing/schemes.ts';
import {
  generateKeyPair,
  generateSecret,
  parsePublicKey,
  parseSecret,
} from '../../gateway/signing/secret.ts';
import { prepareStandardSigner, prepareStandardVerifier } from '../../gateway/signing/standard.ts';

const body = Buffer.from([...Buffer.from('{"type":"machine.status_changed","note":"Größe"}'), 0xff, 0, 0x0a]);
const secret = generateSecret();
const timestamp = 1_700_000_000;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'signing-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** HMAC by the openssl program. */
function opensslHmac(digest: string, key: Uint8Array, content: Buffer): Buffer {
  const hexKey = `hexkey:${Buffer.from(key).toString('hex')}`;
  return execFileSync('openssl', ['dgst', `-${digest}`, '-mac', 'HMAC', '-macopt', hexKey, '-binary'], {
    input: content,
  });
}

const text = Buffer.from(secret);
const withTime = (before: string) => Buffer.concat([Buffer.from(before), body]);

describe('the openssl program agrees', () => {
  it.each([
    ['mes', 'x-mes-signature', () => opensslHmac('sha256', text, body).toString('hex')],
    ['github', 'x-hub-signature-256', () => `sha256=${opensslHmac('sha256', text, body).toString('hex')}`],
    [
      'slack',
      'x-slack-signature',
      () => `v0=${opensslHmac('sha256', text, withTime('v0:1700000000:')).toString('hex')}`,
    ],
    [
      'stripe',
      'stripe-signature',
      () => `t=1700000000,v1=${opensslHmac('sha256', text, withTime('1700000000.')).toString('hex')}`,
    ],
    [
      'maintainx',
      'x-maintainx-webhook-body-signature',
      () => `t=1700000000,v1=${opensslHmac('sha256', text, withTime('1700000000.')).toString('hex')}`,
    ],
    [
      'standard',
      'webhook-signature',
      () =>
        `v1,${opensslHmac('sha256', parseSecret(secret), withTime('evt-1.1700000000.')).toString('base64')}`,
    ],
    ['custom', 'x-sig', () => `s=${opensslHmac('sha384', text, withTime('evt-1|')).toString('base64')}`],
  ] as const)('on %s', (name, header, expected) => {
    const custom = {
      headerName: 'x-sig',
      prefix: 's=',
      digest: 'sha384',
      encoding: 'base64',
      template: '{id}|{body}',
    } as const;
    const headers = SCHEMES[name].sign({ secrets: [secret], body, id: 'evt-1', timestamp, custom });
    expect(headers[header]).toBe(expected());
  });

  it('on a v1a signature of ours', () => {
    const keys = generateKeyPair();
    const signature = prepareStandardSigner([keys.privateKey])('evt-1', timestamp, body);
    const publicPem = file(
      'public.pem',
      parsePublicKey(keys.publicKey).export({ format: 'pem', type: 'spki' }).toString(),
    );
    const signaturePath = file('signature', Buffer.from(signature.slice('v1a,'.length), 'base64'));
    const verify = (content: Buffer) =>
      execFileSync(
        'openssl',
        [
          'pkeyutl',
          '-verify',
          '-pubin',
          '-inkey',
          publicPem,
          '-rawin',
          '-in',
          file('content', content),
          '-sigfile',
          signaturePath,
        ],
        { stdio: 'pipe' },
      ).toString();
    expect(verify(withTime('evt-1.1700000000.'))).toContain('Signature Verified Successfully');
    expect(() => verify(withTime('evt-2.1700000000.'))).toThrow();
  });

  it('on a v1a signature of its own', () => {
    execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', join(folder, 'private.pem')]);
    const content = file('to-sign', withTime('evt-1.1700000000.'));
    const pem = join(folder, 'private.pem');
    const signature = execFileSync('openssl', ['pkeyutl', '-sign', '-inkey', pem, '-rawin', '-in', content]);
    const jwk = createPrivateKey(execFileSync('openssl', ['pkey', '-in', pem])).export({ format: 'jwk' });
    const publicKey = `whpk_${Buffer.from(jwk.x ?? '', 'base64url').toString('base64')}`;
    const verification = prepareStandardVerifier({ secrets: [], publicKeys: [publicKey] })({
      body,
      headers: {
        'webhook-id': 'evt-1',
        'webhook-timestamp': '1700000000',
        'webhook-signature': `v1a,${signature.toString('base64')}`,
      },
      nowSeconds: timestamp,
    });
    expect(verification).toHaveProperty('valid', true);
  });
});
