import { EventEmitter, on } from 'node:events';

import { createLogger } from '../../../gateway/log.ts';
import type { Logger } from '../../../gateway/log.ts';

/** One line of the log. */
export interface LogEntry {
  level: string;
  msg: string;
  [member: string]: unknown;
}

/** A log whose lines can be waited for. */
export interface LogTap {
  log: Logger;
  entries: LogEntry[];
  /** The next line with this message that was not handed out before; waits for it where it is not there yet. */
  next(message: string): Promise<LogEntry>;
}

export function createLogTap(): LogTap {
  const entries: LogEntry[] = [];
  const seen = new Set<LogEntry>();
  const lines = new EventEmitter();
  const log = createLogger({
    stream: {
      write(line) {
        entries.push(JSON.parse(line) as LogEntry);
        lines.emit('line');
      },
    },
  });
  const take = (message: string): LogEntry | undefined => {
    const found = entries.find((entry) => entry.msg === message && !seen.has(entry));
    if (found) seen.add(found);
    return found;
  };
  return {
    log,
    entries,
    async next(message) {
      const more = on(lines, 'line');
      for (let found = take(message); ; found = take(message)) {
        if (found) return found;
        await more.next();
      }
    },
  };
}
