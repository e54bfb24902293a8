import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const FOLDER = join(import.meta.dirname, '..', '..', 'nodes');
const NAMES = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.html'))
  .map((file) => file.replace('.html', ''));

/** Keys of a catalogue, as `hookline-event.label.name`. */
function readKeys(language: string, name: string): string[] {
  const flatten = (value: unknown, path: string): string[] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, inner]) => flatten(inner, path === '' ? key : `${path}.${key}`))
      : [path];
  return flatten(JSON.parse(readFileSync(join(FOLDER, 'locales', language, `${name}.json`), 'utf8')), '');
}

function readHelp(language: string, name: string): string {
  return readFileSync(join(FOLDER, 'locales', language, `${name}.html`), 'utf8');
}

/** Every source of the nodes, where a key may be used. */
const sources = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(ts|html)$/.test(file))
  .map((file) => readFileSync(join(FOLDER, file), 'utf8'))
  .join('\n');

describe.each(NAMES)('the texts of %s', (name) => {
  const english = readKeys('en-US', name);

  it('are there in German too', () => {
    expect(readKeys('de', name).sort()).toEqual([...english].sort());
  });

  it('cover every key that its page and the runtime use', () => {
    const page = readFileSync(join(FOLDER, `${name}.html`), 'utf8');
    const used = [
      ...`${page}\n${sources}`.matchAll(new RegExp(`['"\\]](hookline-${name}\\.[\\w.]*\\w)['"]`, 'g')),
    ].map(([, key]) => key!);
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((key) => !english.includes(key))).toEqual([]);
  });

  it('have no key that nothing uses', () => {
    const unused = english.filter((key) => {
      const group = key.slice(0, key.lastIndexOf('.') + 1);
      const last = key.slice(group.length);
      const isComposed =
        sources.includes(`'${group}'`) ||
        sources.includes(`${group}\${`) ||
        sources.includes(`gatewayText('${last}')`);
      return !sources.includes(key) && !isComposed;
    });
    expect(unused).toEqual([]);
  });

  it.each(['en-US', 'de'])('have a help page in %s that begins with what the node does', (language) => {
    const help = readHelp(language, name);
    expect(help).toContain(`data-help-name="hookline-${name}"`);
    const [, first] = help.split('\n');
    expect(first).toMatch(/^[A-ZÄÖÜ][^#]+\.$/);
  });
});
