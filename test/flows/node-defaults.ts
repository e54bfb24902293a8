import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';

const FOLDER = join(import.meta.dirname, '..', '..', 'nodes');

/** What a node registers with the editor. */
export interface EditorDefinition {
  category: string;
  defaults: Record<string, { value: unknown }>;
  credentials?: Record<string, { type: string }>;
}

/** Runs the script of a node's page as the editor does, with an editor that only takes the registration. */
export function readEditorDefinition(type: string): EditorDefinition {
  const html = readFileSync(join(FOLDER, `${type.replace('hookline-', '')}.html`), 'utf8');
  const script = /<script type="text\/javascript">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '';
  let registered: EditorDefinition | undefined;
  const RED = {
    nodes: {
      registerType: (name: string, definition: EditorDefinition) => {
        if (name === type) registered = definition;
      },
    },
    validators: { typedInput: () => () => true },
  };
  runInNewContext(script, { RED });
  if (registered === undefined) throw new Error(`The page of ${type} does not register it.`);
  return registered;
}

/** The settings that a node's dialog knows. */
export function readNodeDefaults(type: string): string[] {
  return Object.keys(readEditorDefinition(type).defaults);
}
