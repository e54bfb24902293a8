import { expect, it } from 'vitest';

import { localUrl } from '../../gateway/installation/local-url.ts';

it.each([
  ['127.0.0.1', 'http://127.0.0.1:4000'],
  ['localhost', 'http://localhost:4000'],
  ['::1', 'http://[::1]:4000'],
  ['0.0.0.0', 'http://127.0.0.1:4000'],
  ['::', 'http://[::1]:4000'],
])('reaches what listens on %s at %s', (host, url) => {
  expect(localUrl(host, 4000)).toBe(url);
});
