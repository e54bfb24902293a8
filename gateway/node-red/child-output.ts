import { createInterface } from 'node:readline';

import type { Logger } from '../log.ts';

/** The levels of Node-RED's log as ours. */
const LEVELS: Readonly<Record<number, 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace'>> = {
  10: 'fatal',
  20: 'error',
  30: 'warn',
  40: 'info',
  50: 'debug',
  60: 'trace',
};

/** Passes what Node-RED and its nodes write on to our log, line by line, until the stream ends. */
export function logChildOutput(output: NodeJS.ReadableStream, log: Logger): void {
  createInterface({ input: output, crlfDelay: Infinity }).on('line', (line) => {
    if (line.trim() === '') return;
    const entry = parseLogLine(line);
    if (entry) log[LEVELS[entry.nodeRed] ?? 'info']({ nodeType: entry.type, node: entry.node }, entry.msg);
    else log.info(line);
  });
}

/** @returns null for a line that a node wrote by itself. */
function parseLogLine(line: string): { nodeRed: number; type?: string; node?: string; msg: string } | null {
  if (!line.startsWith('{"nodeRed":')) return null;
  try {
    return JSON.parse(line) as { nodeRed: number; type?: string; node?: string; msg: string };
  } catch {
    return null;
  }
}
