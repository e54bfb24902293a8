import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { codeBlocks, headingAnchors, PROJECT_ROOT, readDocument, relativeLinks } from './markdown.ts';

const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'];
const manifest = JSON.parse(readDocument('package.json')) as {
  scripts: Record<string, string>;
  version: string;
};

/** npm has words of its own for these. */
const WITHOUT_RUN = new Set(['start', 'test']);

describe.each(DOCUMENTS)('%s', (name) => {
  const text = readDocument(name);

  it('links to what exists', () => {
    const missing = relativeLinks(text).filter((target) => {
      const [path = '', anchor] = target.split('#');
      if (!existsSync(join(PROJECT_ROOT, path))) return true;
      return anchor !== undefined && !headingAnchors(readDocument(path || name)).includes(anchor);
    });
    expect(missing).toEqual([]);
  });

  it('names scripts of npm that exist', () => {
    const named = [...text.matchAll(/\bnpm (run )?([\w:]+)/g)]
      .filter(([, run, word]) => run !== undefined || WITHOUT_RUN.has(word!))
      .map(([, , word]) => word!);
    expect(named.filter((word) => !Object.hasOwn(manifest.scripts, word))).toEqual([]);
  });
});

it('the README gives the two commands', () => {
  const commands = codeBlocks(readDocument('README.md')).map(({ code }) => code);
  expect(commands).toEqual(expect.arrayContaining(['npm install && npm start', 'npm install && npm test']));
});

it('the changelog knows only the headings of Keep a Changelog, and begins with what is unreleased', () => {
  const headings = [...readDocument('CHANGELOG.md').matchAll(/^(##+) (.*)$/gm)].map(([, level, title]) => ({
    level,
    title: title!,
  }));
  expect(headings[0]).toEqual({ level: '##', title: 'Unreleased' });
  const kinds = headings.filter(({ level }) => level === '###').map(({ title }) => title);
  expect(['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security']).toEqual(
    expect.arrayContaining([...new Set(kinds)]),
  );
});

it('pictures are small', () => {
  for (const target of relativeLinks(readDocument('README.md')).filter((path) => path.endsWith('.png'))) {
    expect(readFileSync(join(PROJECT_ROOT, target)).length).toBeLessThanOrEqual(150 * 1024);
  }
});
