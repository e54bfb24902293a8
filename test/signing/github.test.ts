import { describe, expect, it } from 'vitest';
import { githubScheme } from '../../gateway/signing/github.ts';

const secrets = ["It's a Secret to Everybody"];
const body = 'Hello, World!';
const header = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';

const verify = (value: string | undefined, content = body) =>
  githubScheme.verify({ secrets, body: content, headers: { 'x-hub-signature-256': value }, nowSeconds: 0 });

describe('the GitHub scheme', () => {
  it('makes and accepts the published vector', () => {
    expect(githubScheme.sign({ secrets, body })).toEqual({ 'x-hub-signature-256': header });
    expect(verify(header)).toEqual({ valid: true, keyIndex: 0, timestampSeconds: null });
  });

  it.each([
    [undefined, 'missing_signature'],
    [header.slice('sha256='.length), 'malformed_signature'],
    [`sha1=${header.slice('sha256='.length)}`, 'malformed_signature'],
    [header.slice(0, -1), 'malformed_signature'],
    ['sha256=', 'malformed_signature'],
    [`${header.slice(0, -1)}8`, 'signature_mismatch'],
  ])('refuses %j as %s', (value, reason) => {
    expect(verify(value)).toEqual(expect.objectContaining({ valid: false, reason }));
  });

  it('refuses another body', () => {
    expect(verify(header, 'Hello, World')).toEqual(expect.objectContaining({ reason: 'signature_mismatch' }));
  });
});
