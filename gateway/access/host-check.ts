import { isIP } from 'node:net';

/** Tells whether the `Host` header of a request is one that the gateway answers to. */
export type HostCheck = (hostHeader: string | undefined) => boolean;

/**
 * A guard against DNS rebinding: a page whose name is made to point at this machine sends its own name as `Host`.
 * Good are the loopback names, the host the gateway listens on and that of the public URL, with any port. Where it
 * listens on all addresses, every address written as numbers is good too, because only a name can be rebound.
 */
export function createHostCheck(options: { host: string; publicUrl?: string | undefined }): HostCheck {
  const names = new Set(['localhost', '127.0.0.1', '::1', options.host.toLowerCase()]);
  if (options.publicUrl !== undefined) names.add(bareHost(new URL(options.publicUrl).hostname));
  const listensOnAll = options.host === '0.0.0.0' || options.host === '::';
  return (hostHeader) => {
    const [, name] = /^(\[[\da-f:.]+\]|[^\s:/@?#[\]]+)(?::\d{1,5})?$/i.exec(hostHeader ?? '') ?? [];
    if (name === undefined) return false;
    const host = bareHost(name);
    return names.has(host) || (listensOnAll && isIP(host) !== 0);
  };
}

function bareHost(name: string): string {
  return (name.startsWith('[') ? name.slice(1, -1) : name).toLowerCase();
}
