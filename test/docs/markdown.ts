import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of the checkout. */
export const PROJECT_ROOT: string = join(import.meta.dirname, '..', '..');

/** A fenced block of code. */
export interface CodeBlock {
  /** What stands behind the opening fence; empty without one. */
  language: string;
  /** Without the line break at its end. */
  code: string;
}

/** @param name relative to the folder of the checkout */
export function readDocument(name: string): string {
  return readFileSync(join(PROJECT_ROOT, name), 'utf8');
}

/** All fenced blocks, in order. */
export function codeBlocks(text: string): CodeBlock[] {
  return [...text.matchAll(/^```(\S*)[^\n]*\n([\s\S]*?)\n```$/gm)].map(([, language, code]) => ({
    language: language!,
    code: code!,
  }));
}

/**
 * The text between two lines.
 * @throws where one of them is missing
 */
export function textBetween(text: string, begin: string, end: string): string {
  const from = text.indexOf(`\n${begin}\n`);
  const to = text.indexOf(`\n${end}\n`, from);
  if (from < 0 || to < 0) throw new Error(`There is no line "${begin}" with a line "${end}" behind it.`);
  return text.slice(from + begin.length + 2, to);
}

/**
 * The rows of the table whose first column has this head, each row its cells; without the head.
 * @throws where there is no such table, or several
 */
export function tableRows(text: string, firstHead: string): string[][] {
  const tables = [...text.matchAll(/(?:^\|.*\|\n)+/gm)].map(([lines]) =>
    lines.trim().split('\n').map(cellsOf),
  );
  const [table, ...others] = tables.filter(([head]) => head?.[0] === firstHead);
  if (!table || others.length > 0)
    throw new Error(`There is not one table whose first column is "${firstHead}".`);
  return table.slice(2);
}

/** Where relative links and pictures lead to; the rest of the web is not asked. */
export function relativeLinks(text: string): string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** What stands behind `#` in a link to each heading, by the rule of GitHub. */
export function headingAnchors(text: string): string[] {
  const titles = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) => title!.toLowerCase());
  return titles.map((title) => title.replace(/[^\w\s-]/g, '').replaceAll(' ', '-'));
}

function cellsOf(line: string): string[] {
  return line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());
}
