import type { Command } from './command.ts';

/** Every command by its word, in the order of the help; loaded when it is asked for. */
export const COMMANDS: Readonly<Record<string, () => Promise<{ command: Command }>>> = {
  start: () => import('./start.ts'),
  serve: () => import('./serve.ts'),
  login: () => import('./login.ts'),
  keys: () => import('./keys.ts'),
  trigger: () => import('./trigger.ts'),
  replay: () => import('./replay.ts'),
  simulate: () => import('./simulate.ts'),
  sign: () => import('./sign.ts'),
  verify: () => import('./verify.ts'),
};
