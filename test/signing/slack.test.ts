import { describe, expect, it } from 'vitest';
import { slackScheme } from '../../gateway/signing/slack.ts';

// The worked example of https://docs.slack.dev/authentication/verifying-requests-from-slack
const secrets = ['8f742231b10e8888abcd99yyyzzz85a5'];
const timestamp = 1531420618;
const body =
  'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
const signature = 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503';

interface Changes {
  signature?: string | undefined;
  time?: string | undefined;
  nowSeconds?: number;
}

function verify(changes: Changes = {}) {
  const value = { signature, time: String(timestamp), nowSeconds: timestamp, ...changes };
  const headers = { 'x-slack-signature': value.signature, 'x-slack-request-timestamp': value.time };
  return slackScheme.verify({ secrets, body, headers, nowSeconds: value.nowSeconds });
}
const rejected = (reason: string) => expect.objectContaining({ valid: false, reason });

describe('the Slack scheme', () => {
  it('makes and accepts the worked example', () => {
    expect(slackScheme.sign({ secrets, body, timestamp })).toEqual({
      'x-slack-request-timestamp': '1531420618',
      'x-slack-signature': signature,
    });
    expect(verify()).toEqual({ valid: true, keyIndex: 0, timestampSeconds: timestamp });
  });

  it('accepts 300 s of difference both ways and refuses 301', () => {
    expect(verify({ nowSeconds: timestamp + 300 })).toHaveProperty('valid', true);
    expect(verify({ nowSeconds: timestamp - 300 })).toHaveProperty('valid', true);
    expect(verify({ nowSeconds: timestamp + 301 })).toEqual(rejected('timestamp_too_old'));
    expect(verify({ nowSeconds: timestamp - 301 })).toEqual(rejected('timestamp_too_new'));
  });

  it('refuses what is missing, malformed or signed for another time', () => {
    expect(verify({ signature: undefined })).toEqual(rejected('missing_signature'));
    expect(verify({ time: undefined })).toEqual(rejected('missing_timestamp'));
    expect(verify({ time: '1531420618x' })).toEqual(rejected('malformed_timestamp'));
    expect(verify({ signature: signature.slice(3) })).toEqual(rejected('malformed_signature'));
    expect(verify({ signature: signature.replace('v0', 'v1') })).toEqual(rejected('malformed_signature'));
    expect(verify({ time: String(timestamp + 1) })).toEqual(rejected('signature_mismatch'));
  });

  it('does not sign without a time', () => {
    expect(() => slackScheme.sign({ secrets, body })).toThrow(
      expect.objectContaining({ code: 'TIMESTAMP_INVALID' }),
    );
  });
});
