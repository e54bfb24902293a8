import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** `openssl dgst` over a file, as a process of its own. @returns the HMAC-SHA256 as hexadecimal text */
export async function signWithOpenssl(path: string, secret: string): Promise<string> {
  const { stdout } = await run('openssl', ['dgst', '-sha256', '-hmac', secret, '-r', path]);
  return stdout.split(' ')[0]!;
}

/** What curl was answered. */
export interface CurlAnswer {
  status: number;
  body: string;
}

/** Posts a file byte for byte with `curl`, as a process of its own. */
export async function postWithCurl(
  url: string,
  path: string,
  headers: Record<string, string>,
): Promise<CurlAnswer> {
  const given = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const basics = ['--silent', '--show-error', '-X', 'POST', '-H', 'Content-Type: application/json'];
  const data = ['--data-binary', `@${path}`, '--write-out', '\n%{http_code}'];
  const { stdout } = await run('curl', [...basics, ...given, ...data, url]);
  const end = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) };
}

/** Runs a command line as a shell does. @returns what it printed. @throws where it exits with an error */
export async function runInShell(commandLine: string): Promise<string> {
  const { stdout } = await run('sh', ['-c', commandLine]);
  return stdout;
}
