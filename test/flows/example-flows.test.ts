import { describe, expect, it } from 'vitest';
import { readExampleFlows } from './example-flows.ts';
import { readNodeDefaults } from './node-defaults.ts';

const flows = readExampleFlows();

describe('the example flows', () => {
  it('are seven, numbered in order', () => {
    expect(flows.map(({ name }) => name.slice(0, 3))).toEqual([
      '01-',
      '02-',
      '03-',
      '04-',
      '05-',
      '06-',
      '07-',
    ]);
  });

  it('share no node but the gateway', () => {
    const ids = flows.flatMap(({ nodes }) =>
      nodes.filter(({ type }) => type !== 'hookline-gateway').map(({ id }) => id),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('show every node of the palette', () => {
    const types = new Set(flows.flatMap(({ nodes }) => nodes.map(({ type }) => type)));
    expect([...types].filter((type) => type.startsWith('hookline-')).sort()).toEqual([
      'hookline-event',
      'hookline-gateway',
      'hookline-publish',
      'hookline-verify',
      'hookline-webhook',
    ]);
  });

  describe.each(flows)('$name', ({ nodes }) => {
    it('explains itself in one comment', () => {
      const comments = nodes.filter(({ type }) => type === 'comment');
      expect(comments).toHaveLength(1);
      expect(String(comments[0]!['info']).length).toBeGreaterThan(80);
    });

    it('is one tab on which everything is wired to something', () => {
      const tabs = nodes.filter(({ type }) => type === 'tab');
      expect(tabs).toHaveLength(1);
      const onTab = nodes.filter(({ z }) => z === tabs[0]!.id);
      expect(onTab).toHaveLength(
        nodes.length - 1 - nodes.filter(({ type }) => type === 'hookline-gateway').length,
      );
      const ids = new Set(onTab.map(({ id }) => id));
      for (const { wires = [] } of onTab) for (const id of wires.flat()) expect(ids).toContain(id);
    });

    it('is switched off as long as it would send to a URL that nobody entered', () => {
      const [tab] = nodes.filter(({ type }) => type === 'tab');
      expect(tab!['disabled']).toBe(nodes.some(({ type }) => type === 'hookline-webhook'));
    });

    it('uses the one gateway, and holds no credentials', () => {
      for (const node of nodes) {
        expect(node.credentials).toBeUndefined();
        if (node.gateway !== undefined) expect(node.gateway).toBe('hookline-default-gateway');
      }
    });

    it('sets only what the dialogs of our nodes know', () => {
      for (const node of nodes.filter(({ type }) => type.startsWith('hookline-'))) {
        const known = new Set(['id', 'type', 'z', 'x', 'y', 'wires', ...readNodeDefaults(node.type)]);
        expect(Object.keys(node).filter((property) => !known.has(property))).toEqual([]);
      }
    });
  });
});
