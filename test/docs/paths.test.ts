import { afterAll, beforeAll, expect, it } from 'vitest';

import { startProduct } from '../support/product.ts';
import type { Product } from '../support/product.ts';
import { readDocument, tableRows } from './markdown.ts';

let product: Product;

beforeAll(async () => {
  product = await startProduct({ command: 'serve' });
});
afterAll(() => product[Symbol.asyncDispose]());

const paths = tableRows(readDocument('README.md'), 'Path').flatMap(([cell]) =>
  [...cell!.matchAll(/`([^`]+)`/g)].map(([, path]) => path!),
);

it.each(paths)('the gateway answers at %s', async (path) => {
  const answer = await fetch(`${product.url}${path}`, {
    headers: { authorization: `Bearer ${product.adminKey}` },
  });
  // What is not there at all is said in these words; a bin that does not exist is another matter.
  expect(await answer.text()).not.toContain('There is nothing at');
});
