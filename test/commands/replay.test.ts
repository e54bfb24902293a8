import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { NOW, runInProcess } from './support/run-in-process.ts';
import { startScriptedGateway } from './support/scripted-gateway.ts';
import type { ScriptedGateway } from './support/scripted-gateway.ts';

let gateway: ScriptedGateway;
beforeEach(async () => {
  gateway = await startScriptedGateway();
});
afterEach(() => gateway[Symbol.asyncDispose]());

const JOB = {
  id: 'rpl_1',
  status: 'RUNNING',
  total: 17,
  queued: 0,
  skipped: 0,
  error: null,
  createdAt: '2026-01-15T08:00:00.000Z',
  finishedAt: null,
};
const BASE = ['replay', '--endpoint', 'ep_1', '--since', '2026-01-15T06:00:00+01:00'];

function answerStart(job: object | null, count = 17): void {
  gateway.answer = { status: 200, body: { data: { replayEvents: { count, job } } } };
}

/** Answers the start with a running job, and each look at it with the next of these. */
function answerLooks(...looks: (object | null)[]): void {
  gateway.answer = ({ body }) => {
    const isStart = body.query?.includes('replayEvents') === true;
    const data = isStart ? { replayEvents: { count: 17, job: JOB } } : { replayJob: looks.shift() };
    return { status: 200, body: { data } };
  };
}

describe('hookline replay', () => {
  it('starts a replay and says what it queues', async () => {
    answerStart(JOB);
    const outcome = await runInProcess(BASE, gateway.env);
    expect(outcome).toEqual({ code: 0, stdout: 'rpl_1 queues 17 deliveries.\n', stderr: '' });
    expect(gateway.seen[0]?.body.variables).toEqual({
      input: { endpointId: 'ep_1', since: '2026-01-15T05:00:00.000Z' },
    });
  });

  it('passes everything on that it was told', async () => {
    answerStart(JOB);
    const more = ['--until', '30m', '--type', 'work_order.*,alarm.triggered', '--type', 'quality.*'];
    await runInProcess([...BASE, ...more, '--only-failed', '--per-second', '2.5'], gateway.env);
    expect(gateway.seen[0]?.body.variables).toEqual({
      input: {
        endpointId: 'ep_1',
        since: '2026-01-15T05:00:00.000Z',
        until: new Date(NOW - 1_800_000).toISOString(),
        filter: { types: ['work_order.*', 'alarm.triggered', 'quality.*'] },
        onlyFailed: true,
        perSecond: 2.5,
      },
    });
  });

  it('only counts when asked how many there are', async () => {
    answerStart(null, 1);
    const args = ['replay', '--endpoint', 'ep_1', '--since', '2d', '--only-missing', '--dry-run'];
    expect((await runInProcess(args, gateway.env)).stdout).toBe('1 delivery would be queued.\n');
    expect(gateway.seen[0]?.body.variables).toEqual({
      input: {
        endpointId: 'ep_1',
        since: new Date(NOW - 2 * 86_400_000).toISOString(),
        onlyMissing: true,
        dryRun: true,
      },
    });
    const { stdout } = await runInProcess([...args, '--json'], gateway.env);
    expect(JSON.parse(stdout)).toEqual({ count: 1, job: null });
  });

  it('waits for the end when asked, and says how it ended', async () => {
    answerLooks({ ...JOB, queued: 9 }, { ...JOB, status: 'DONE', queued: 15, skipped: 2 });
    const outcome = await runInProcess([...BASE, '--wait'], gateway.env);
    expect(outcome).toEqual({
      code: 0,
      stdout: 'rpl_1 is done: 15 deliveries queued, 2 left alone because they still run.\n',
      stderr: '',
    });
    expect(gateway.seen.map(({ body }) => body.variables?.['id'])).toEqual([undefined, 'rpl_1', 'rpl_1']);
  });

  it.each([
    [{ ...JOB, status: 'CANCELLED', queued: 3 }, 'rpl_1 was called off: 3 deliveries queued'],
    [
      { ...JOB, status: 'FAILED', error: 'The endpoint was deleted.' },
      'still run. The endpoint was deleted.',
    ],
  ])('exits with 1 where it waited for one that ended as %j', async (job, text) => {
    answerLooks(job);
    const { code, stdout } = await runInProcess([...BASE, '--wait'], gateway.env);
    expect(code).toBe(1);
    expect(stdout).toContain(text);
  });

  it('prints the job as it ended as JSON', async () => {
    const done = { ...JOB, status: 'DONE', queued: 17, finishedAt: '2026-01-15T08:00:01.000Z' };
    answerLooks(done);
    const { stdout } = await runInProcess([...BASE, '--wait', '--json'], gateway.env);
    expect(JSON.parse(stdout)).toEqual({ count: 17, job: done });
  });

  it('says so where the job is gone', async () => {
    answerLooks(null);
    const { code, stderr } = await runInProcess([...BASE, '--wait'], gateway.env);
    expect([code, stderr]).toEqual([1, 'hookline replay: The replay rpl_1 is not there any more.\n']);
  });

  it('repeats what the gateway says against it', async () => {
    gateway.answer = {
      status: 200,
      body: { data: null, errors: [{ message: 'There is no endpoint "ep_1".' }] },
    };
    const { code, stderr } = await runInProcess(BASE, gateway.env);
    expect([code, stderr]).toEqual([1, 'hookline replay: There is no endpoint "ep_1".\n']);
  });

  it.each([
    [['replay'], 'Say where to with --endpoint'],
    [['replay', '--endpoint', 'ep_1'], 'Say from when on with --since'],
    [['replay', '--endpoint', 'ep_1', '--since', 'yesterday'], 'The value of --since must be a moment'],
    [['replay', '--endpoint', 'ep_1', '--since', '2026-01-15T06:00:00'], 'with "Z" or an offset'],
    [[...BASE, '--until', 'soon'], 'The value of --until must be a moment'],
    [[...BASE, '--only-failed', '--only-missing'], 'not both'],
    [[...BASE, '--dry-run', '--wait'], 'nothing to wait for'],
    [[...BASE, '--per-second', '0'], 'The value of --per-second must be a number from 0.1 to 1000'],
    [[...BASE, 'ep_2'], 'There is a word too many'],
  ])('refuses %j with one sentence', async (args, message) => {
    const { code, stderr } = await runInProcess(args, gateway.env);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr.trimEnd()).not.toContain('\n');
    expect(gateway.seen).toEqual([]);
  });

  it('is in the list of commands', async () => {
    expect((await runInProcess(['--help'])).stdout).toMatch(/^ {2}replay {5}send an endpoint once more/m);
    expect((await runInProcess(['replay', '--help'])).stdout).toContain('--only-missing');
  });
});
