import { describe, expect, it } from 'vitest';

import { HooklineError } from '../gateway/errors.ts';
import { createLogger, gatherLines, withoutRedaction } from '../gateway/log.ts';

function capture(pretty = false): { log: ReturnType<typeof createLogger>; lines: string[] } {
  const lines: string[] = [];
  return { log: createLogger({ stream: { write: (line) => lines.push(line) }, pretty }), lines };
}

describe('createLogger', () => {
  it('writes one JSON object a line with an ISO time and the level as a word', () => {
    const { log, lines } = capture();
    log.child({ component: 'ingest' }).warn({ source: 'mes' }, 'A signature was wrong.');
    expect(lines).toHaveLength(1);
    const entry = JSON.parse(lines[0]!) as { time: string };
    expect(entry).toMatchObject({
      level: 'warn',
      component: 'ingest',
      source: 'mes',
      msg: 'A signature was wrong.',
    });
    expect(new Date(entry.time).toISOString()).toBe(entry.time);
  });

  it.each([
    ['at the top', { secret: 'hunter2' }],
    ['one level down', { endpoint: { secret: 'hunter2' } }],
    ['the key of a principal', { principal: { key: 'hunter2' } }],
    ['a bearer key', { headers: { authorization: 'Bearer hunter2' } }],
    [
      'a bearer key among the headers of a request',
      { request: { headers: { authorization: 'Bearer hunter2' } } },
    ],
    ['a cookie', { request: { headers: { cookie: 'hookline_session=hunter2' } } }],
    ['the keys of the installation', { secrets: { adminKey: 'hunter2' } }],
  ])('hides a secret: %s', (_where, entry) => {
    const { log, lines } = capture();
    log.info(entry, 'seen');
    expect(lines[0]).toContain('[hidden]');
    expect(lines[0]).not.toContain('hunter2');
  });

  it('keeps code and cause of an error', () => {
    const { log, lines } = capture();
    log.error(
      { err: new HooklineError('PORT_TAKEN', 'Taken.', { cause: new Error('EADDRINUSE') }) },
      'No start.',
    );
    expect(JSON.parse(lines[0]!)).toMatchObject({
      err: { code: 'PORT_TAKEN', message: expect.stringContaining('Taken.') },
    });
    expect(lines[0]).toContain('EADDRINUSE');
  });

  it('writes one short line for a person, whatever is logged', () => {
    const { log, lines } = capture(true);
    log.child({ component: 'node-red' }).error({ pauseMs: 1000, err: new Error('It broke.') }, 'Ended.');
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d error \[node-red\] Ended\. {2}pauseMs=1000 {2}error=It broke\.\n$/,
    );
  });
});

describe('gatherLines', () => {
  it('writes the lines of one turn together, in order, and what is left when it is flushed', async () => {
    const written: string[] = [];
    const lines = gatherLines({ write: (text) => written.push(text) });
    const log = withoutRedaction(createLogger({ stream: lines }));
    for (const n of [1, 2, 3]) log.info({ n }, 'attempted');
    expect(written).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(written).toHaveLength(1);
    expect(
      written[0]!
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { n: number }).n),
    ).toEqual([1, 2, 3]);
    log.info({ n: 4 }, 'attempted');
    lines.flush();
    expect(written).toHaveLength(2);
  });
});
