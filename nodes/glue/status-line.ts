import type { NodeStatus, RuntimeNode } from './node-red-api.ts';

/** The line under a busy node: shown at once, then again a quarter of a second after a change at the earliest. */
export interface StatusLine {
  /** Something that it shows has changed. */
  refresh(): void;
  close(): void;
}

/** @param compute the line as of now. */
export function createStatusLine(node: RuntimeNode, compute: () => NodeStatus): StatusLine {
  let timer: NodeJS.Timeout | null = null;
  let shown = '';
  const show = (): void => {
    const status = compute();
    const text = JSON.stringify(status);
    // Every status travels to all open editors.
    if (text === shown) return;
    shown = text;
    node.status(status);
  };
  return {
    refresh: () => {
      if (timer !== null) return;
      show();
      timer = setTimeout(() => {
        timer = null;
        show();
      }, 250);
      timer.unref();
    },
    close: () => {
      if (timer !== null) clearTimeout(timer);
    },
  };
}
