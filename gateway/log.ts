import { pino } from 'pino';
import type { Logger as PinoLogger } from 'pino';

/** The one logger of a process; `log.child({ component })` for its parts. */
export type Logger = PinoLogger;

export interface LogOptions {
  /** Where lines go. */
  stream: { write(line: string): unknown };
  /** Short lines for a person at a terminal instead of JSON. @default false */
  pretty?: boolean;
}

/** Members of logged objects that are never written, at the first two levels and among headers. */
const SECRET_MEMBERS = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'secret',
  'secrets',
  'password',
  'key',
  'adminKey',
  'secretKey',
  'flowKey',
  'credentialSecret',
];

/** Logs one JSON object a line: `time` in ISO 8601, `level` as a word, `msg`, whatever else was given. */
export function createLogger(options: LogOptions): Logger {
  const { stream, pretty = false } = options;
  return pino(
    {
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      redact: {
        paths: SECRET_MEMBERS.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.headers["${name}"]`]),
        censor: '[hidden]',
      },
    },
    pretty ? { write: (line: string) => stream.write(prettyLine(line)) } : stream,
  );
}

/**
 * For the one line per attempt, which holds ids and numbers only: without the search for secrets, which would
 * take a quarter of the time of a delivery.
 */
export function withoutRedaction(log: Logger): Logger {
  return log.child({}, { redact: [] });
}

/**
 * Lines of one turn of the event loop in one write: a busy gateway logs thousands of attempts a second, and each
 * write is a system call. What is not written yet when the process ends is written then.
 */
export function gatherLines(stream: { write(text: string): unknown }): {
  write(line: string): void;
  flush(): void;
} {
  let waiting = '';
  const flush = (): void => {
    const text = waiting;
    waiting = '';
    if (text !== '') stream.write(text);
  };
  process.on('exit', flush);
  return {
    write(line) {
      if (waiting === '') setImmediate(flush);
      waiting += line;
    },
    flush,
  };
}

/** `14:05:09 warn  [node-red] what happened  member=value` */
function prettyLine(line: string): string {
  const { time, level, msg, component, err, ...rest } = JSON.parse(line) as {
    time: string;
    level: string;
    msg?: string;
    component?: string;
    err?: { message?: string };
  };
  const clock = new Date(time).toTimeString().slice(0, 8);
  const where = component === undefined ? '' : `[${component}] `;
  const members = Object.entries({ ...rest, ...(err?.message === undefined ? {} : { error: err.message }) });
  const shown = members.map(
    ([name, value]) => `  ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${clock} ${level.padEnd(5)} ${where}${msg ?? ''}${shown.join('')}\n`;
}
