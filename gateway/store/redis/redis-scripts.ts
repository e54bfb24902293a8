import { readFileSync } from 'node:fs';

/** The commands, by the names of their files in `lua/`; the files' heads say what goes in and comes out. */
const SCRIPT_NAMES = [
  'amend',
  'backlog',
  'change-timers',
  'commit',
  'commit-records',
  'hand-back',
  'join',
  'lane-states',
  'owe',
  'page-deliveries',
  'page-events',
  'prune',
  'read-attempts',
  'read-deliveries',
  'renew',
  'set-lanes',
  'sweep',
  'take-timers',
] as const;

export type ScriptName = (typeof SCRIPT_NAMES)[number];

let scripts: Record<string, { lua: string; numberOfKeys: number }> | null = null;

/** All commands as the client wants them; read once. */
export function loadScripts(): Record<string, { lua: string; numberOfKeys: number }> {
  scripts ??= Object.fromEntries(
    SCRIPT_NAMES.map((name) => [name, { lua: readScript(name), numberOfKeys: 1 }]),
  );
  return scripts;
}

/**
 * The text of a command: the parts that its first line names, in that order, and the command itself. Comments stay
 * behind: they would go over the wire with every new connection.
 */
function readScript(name: ScriptName): string {
  const command = readLua(name);
  const parts = /^-- uses: (.*)$/m.exec(command)?.[1]?.split(', ') ?? [];
  return [...parts.map((part) => readLua(`shared/${part}`)), command].map(withoutComments).join('\n');
}

function readLua(name: string): string {
  return readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8');
}

function withoutComments(lua: string): string {
  return lua.replaceAll(/^\s*--.*\n/gm, '');
}
