import { firstSecret, textKey, textKeys } from './hmac.ts';
import { defineScheme } from './scheme.ts';
import { signTimestamped, verifyTimestamped } from './timestamped-signature.ts';
import { DEFAULT_TOLERANCE_SECONDS, timestampToSign } from './timestamp.ts';

/** The headers of MaintainX's scheme: over the body, and over the address that was called. */
export const MAINTAINX_BODY_HEADER = 'x-maintainx-webhook-body-signature';
export const MAINTAINX_URI_HEADER = 'x-maintainx-webhook-uri-signature';

/**
 * MaintainX: `t=<t>,v1=<hex>`, HMAC-SHA256 over `<t>.` and the raw body; the secret is used as text.
 *
 * The unit of `t` is undocumented: seconds and, from 1e12 up, milliseconds are understood. The signature of the
 * address is made or demanded only where `uri` is given, because proxies rewrite addresses.
 */
export const maintainxScheme = defineScheme({
  name: 'maintainx',
  headers: () => ({ signature: MAINTAINX_BODY_HEADER, timestamp: null, id: null }),
  prepareSigner({ secrets }) {
    const keys = [textKey(firstSecret(secrets))];
    return ({ body, timestamp, uri }) => {
      const time = timestampToSign(timestamp, 'either');
      const headers = { [MAINTAINX_BODY_HEADER]: signTimestamped(keys, time, body) };
      return uri === undefined
        ? headers
        : { ...headers, [MAINTAINX_URI_HEADER]: signTimestamped(keys, time, uri) };
    };
  },
  prepareVerifier({ secrets, toleranceSeconds = DEFAULT_TOLERANCE_SECONDS }) {
    const keys = textKeys(secrets);
    return ({ body, headers, nowSeconds, uri }) => {
      const common = { headers, keys, unit: 'either', nowSeconds, toleranceSeconds } as const;
      const ofBody = verifyTimestamped({ ...common, header: MAINTAINX_BODY_HEADER, content: body });
      if (!ofBody.valid || uri === undefined) return ofBody;
      const ofUri = verifyTimestamped({ ...common, header: MAINTAINX_URI_HEADER, content: uri });
      return ofUri.valid ? ofBody : ofUri;
    };
  },
});
