import { textKeys } from './hmac.ts';
import { defineScheme } from './scheme.ts';
import { signTimestamped, verifyTimestamped } from './timestamped-signature.ts';
import { DEFAULT_TOLERANCE_SECONDS, timestampToSign } from './timestamp.ts';

/** The header of Stripe's scheme. */
export const STRIPE_HEADER = 'stripe-signature';

/**
 * Stripe: `t=<ts>,v1=<hex>[,v1=…]`, HMAC-SHA256 over `<ts>.<raw body>`. The secret is used as text, its `whsec_`
 * included: not what Standard Webhooks makes of the same text.
 * @see https://docs.stripe.com/webhooks#verify-manually
 */
export const stripeScheme = defineScheme({
  name: 'stripe',
  headers: () => ({ signature: STRIPE_HEADER, timestamp: null, id: null }),
  prepareSigner({ secrets }) {
    const keys = textKeys(secrets);
    return ({ body, timestamp }) => ({
      [STRIPE_HEADER]: signTimestamped(keys, timestampToSign(timestamp, 'seconds'), body),
    });
  },
  prepareVerifier({ secrets, toleranceSeconds = DEFAULT_TOLERANCE_SECONDS }) {
    const keys = textKeys(secrets);
    return ({ body, headers, nowSeconds }) =>
      verifyTimestamped({
        headers,
        header: STRIPE_HEADER,
        keys,
        content: body,
        unit: 'seconds',
        nowSeconds,
        toleranceSeconds,
      });
  },
});
