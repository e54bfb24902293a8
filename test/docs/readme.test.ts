import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema } from 'graphql';
import type { GraphQLEnumType, GraphQLObjectType, GraphQLSchema } from 'graphql';
import { describe, expect, it } from 'vitest';

import { COMMANDS } from '../../gateway/commands/all-commands.ts';
import { decideNext, DEFAULT_SCHEDULE } from '../../gateway/delivery/retry-policy.ts';
import { parseDuration } from '../../gateway/duration.ts';
import { ERROR_CODES } from '../../gateway/errors.ts';
import { SETTINGS } from '../../gateway/settings/settings.ts';
import { codeBlocks, PROJECT_ROOT, readDocument, tableRows } from './markdown.ts';

const readme = readDocument('README.md');
const schema: GraphQLSchema = buildSchema(readDocument('gateway/graphql/schema.graphql'));

describe('the README', () => {
  it('lists every setting with its default and what is accepted', () => {
    const [ofOtherSources, ...rest] = tableRows(readme, 'Name').reverse();
    expect(rest.reverse()).toEqual(
      Object.entries(SETTINGS).map(([name, setting]) => [
        quoted(name),
        setting.default ? quoted(setting.default) : '',
        setting.meaning,
        setting.accepted,
      ]),
    );
    expect(ofOtherSources![0]).toBe('`HOOKLINE_SOURCE_<NAME>_SECRET`');
  });

  it('lists every command with its summary', async () => {
    const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
    expect(tableRows(readme, 'Command')).toEqual(
      commands.map(({ command }) => [quoted(command.name), command.summary]),
    );
  });

  it('lists every error code with its status and meaning', () => {
    expect(tableRows(readme, 'Code')).toEqual(
      Object.entries(ERROR_CODES).map(([code, { httpStatus, meaning }]) => [
        code,
        String(httpStatus),
        meaning,
      ]),
    );
  });

  it('lists every status of a delivery', () => {
    const statuses = schema.getType('DeliveryStatus') as GraphQLEnumType;
    expect(firstCells('Status').toSorted()).toEqual(
      statuses
        .getValues()
        .map(({ name }) => name)
        .toSorted(),
    );
  });

  it('tells the schedule that is kept', () => {
    const told = tableRows(readme, 'Attempt').flatMap(([attempts, pause, status]) => {
      const [first, last = first] = attempts!.split(' to ').map(Number);
      return Array.from({ length: last! - first! + 1 }, () => ({ pauseMs: parseDuration(pause!), status }));
    });
    const kept = DEFAULT_SCHEDULE.map((pauseMs, step) => ({ pauseMs, status: statusAfterFailure(step) }));
    expect(told).toEqual(kept);
  });

  it('names every field of the GraphQL API', () => {
    const told = tableRows(readme, 'GraphQL').map(([type, fields]) => [type, namesIn(fields!).toSorted()]);
    const present = ['Query', 'Mutation', 'Subscription'].map((type) => [
      type,
      Object.keys((schema.getType(type) as GraphQLObjectType).getFields()).toSorted(),
    ]);
    expect(told).toEqual(present);
  });

  it('lists every example flow by the name of its tab', () => {
    const names = readdirSync(join(PROJECT_ROOT, 'flows')).toSorted();
    const labels = names.map((name) => {
      const nodes = JSON.parse(readDocument(join('flows', name))) as { type: string; label?: string }[];
      return nodes.find(({ type }) => type === 'tab')?.label;
    });
    expect(firstCells('Flow')).toEqual(labels);
  });

  it('shows the example programs as they are', () => {
    const shown = codeBlocks(readme).filter(({ language }) => language === 'js' || language === 'python');
    const files = ['follow.mjs', 'receiver.mjs', 'verify-webhook.mjs', 'verify_webhook.py'];
    expect(shown.map(({ code }) => `${code}\n`)).toEqual(
      files.map((name) => readDocument(join('docs/snippets', name))),
    );
  });

  it('names tests that exist for every promise', () => {
    const proofs = tableRows(readme, 'Promise').flatMap(([, tests]) => tests!.split('<br>'));
    expect(proofs.length).toBeGreaterThanOrEqual(5);
    for (const proof of proofs) {
      const [, path, name] = /\]\((test\/[^)]+)\): "(.+)"$/.exec(proof)!;
      const source = readDocument(path!);
      expect(['it', 'test'].some((word) => source.includes(`${word}('${name}', `))).toBe(true);
    }
  });
});

function quoted(text: string): string {
  return `\`${text}\``;
}

function firstCells(firstHead: string): string[] {
  return tableRows(readme, firstHead).map(([cell]) => cell!);
}

function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name!);
}

/** @param step from 0: which attempt of the default schedule fails */
function statusAfterFailure(step: number): string {
  const end = { outcome: 'CONNECT', statusCode: null, retryAfterMs: null, endedAt: 0 } as const;
  return decideNext(end, { step, schedule: DEFAULT_SCHEDULE, createdAt: 0 }, 0).status;
}
