import { CONFIG_FILE } from '../config.ts';
import { SETTINGS } from '../settings/settings.ts';
import type { Setting } from '../settings/settings.ts';

/** The part of the help that lists the settings, with their defaults. */
export const SETTINGS_USAGE: string = `Settings come from the environment, or by the same names from ${CONFIG_FILE} in the working directory:

${Object.entries(SETTINGS)
  .map(([name, setting]) => describeSetting(name, setting))
  .join('\n')}
  HOOKLINE_SOURCE_<NAME>_SECRET  the secret of another source than mes
      as WEBHOOK_SECRET
`;

function describeSetting(name: string, { default: fallback, meaning, accepted }: Setting<unknown>): string {
  return `  ${name}${fallback ? ` [${fallback}]` : ''}  ${meaning}\n      ${accepted}`;
}
