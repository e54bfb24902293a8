import { customScheme } from './custom.ts';
import { githubScheme } from './github.ts';
import { maintainxScheme } from './maintainx.ts';
import { mesScheme } from './mes.ts';
import type { SchemeName, SignatureScheme } from './scheme.ts';
import { SigningError } from './signing-error.ts';
import { slackScheme } from './slack.ts';
import { standardScheme } from './standard.ts';
import { stripeScheme } from './stripe.ts';

/** Every signature scheme by its name. */
export const SCHEMES: Readonly<Record<SchemeName, SignatureScheme>> = {
  mes: mesScheme,
  standard: standardScheme,
  maintainx: maintainxScheme,
  slack: slackScheme,
  github: githubScheme,
  stripe: stripeScheme,
  custom: customScheme,
};

/** Is there a scheme of this name? */
export function isSchemeName(name: string): name is SchemeName {
  return Object.hasOwn(SCHEMES, name);
}

/** The scheme of this name. @throws SigningError `SCHEME_UNKNOWN` with the known names. */
export function schemeNamed(name: string): SignatureScheme {
  if (isSchemeName(name)) return SCHEMES[name];
  throw new SigningError(
    'SCHEME_UNKNOWN',
    `There is no such scheme: use one of ${Object.keys(SCHEMES).join(', ')}.`,
  );
}
