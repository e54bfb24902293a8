import { describe, expect, it } from 'vitest';

import { COMMANDS } from '../gateway/commands/all-commands.ts';
import { packageVersion } from '../gateway/installation/package-root.ts';
import { runInProcess } from './commands/support/run-in-process.ts';

describe('hookline', () => {
  it.each([[[]], [['--help']], [['-h']], [['help']]])('lists its commands for %j', async (args) => {
    const { code, stdout } = await runInProcess(args);
    expect(code).toBe(0);
    for (const name of Object.keys(COMMANDS)) expect(stdout).toMatch(new RegExp(`^  ${name} +\\w`, 'm'));
  });

  it('prints its version', async () => {
    expect((await runInProcess(['--version'])).stdout).toBe(`${packageVersion}\n`);
  });

  it('suggests a command for one that is not there', async () => {
    expect(await runInProcess(['simulat'])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'hookline: There is no command "simulat". Did you mean simulate?\n',
    });
  });

  it('does not take members of every object for commands', async () => {
    expect((await runInProcess(['constructor'])).code).toBe(2);
  });

  it.each(Object.keys(COMMANDS))('has help for %s that begins with how to use it', async (name) => {
    const { code, stdout, stderr } = await runInProcess([name, '--help']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.startsWith(`hookline ${name}`)).toBe(true);
    expect(stdout.endsWith('\n')).toBe(true);
    expect(stdout.split('\n').filter((line) => line.length > 140)).toEqual([]);
  });

  it.each(Object.keys(COMMANDS))('refuses a flag that %s does not have', async (name) => {
    const { code, stderr } = await runInProcess([name, '--no-such-flag']);
    expect(code).toBe(2);
    expect(stderr).toBe(`hookline ${name}: There is no flag --no-such-flag (see --help).\n`);
  });

  it('says which setting is wrong', async () => {
    const { code, stderr } = await runInProcess(['login'], { HOOKLINE_PORT: 'x' });
    expect([code, stderr]).toEqual([
      1,
      'hookline login: HOOKLINE_PORT is "x"; accepted is a whole number from 0 to 65535.\n',
    ]);
  });
});
