import { findGateway } from './glue/gateway-node.ts';
import { describeNode } from './glue/node-description.ts';
import type { NodeConfig, NodeRed, RuntimeNode } from './glue/node-red-api.ts';
import { NO_GATEWAY } from './glue/node-status.ts';
import { sendWebhooks } from './glue/webhook-sender.ts';
import type { FlowEndpoint } from './gateway-client.ts';

interface WebhookConfig extends NodeConfig {
  gateway?: string;
  /** Seconds to wait before the first attempt; text, as the dialog gives it, like the next one. */
  delay?: string | number;
  /** Seconds to wait for an answer; empty: the gateway's. */
  timeout?: string | number;
  /** Pauses before each attempt, `0s, 5s, 30s`; empty: the gateway's. */
  retrySchedule?: string;
  headers?: { name: string; value: string }[];
}

/** `hookline-webhook`: a message is delivered to a URL, durably and signed; its result comes out when it is known. */
export default function registerWebhook(RED: NodeRed): void {
  RED.nodes.registerType('hookline-webhook', WebhookNode, {
    credentials: { url: { type: 'text' }, secret: { type: 'password' }, secretHeaders: { type: 'text' } },
  });

  function WebhookNode(this: RuntimeNode, config: WebhookConfig): void {
    RED.nodes.createNode(this, config);
    const gateway = findGateway(RED, config.gateway);
    if (gateway === null) this.status(NO_GATEWAY);
    const { url = '', secret = '', secretHeaders = '' } = this.credentials ?? {};
    const endpoint: FlowEndpoint = {
      key: this.id,
      kind: 'WEBHOOK',
      description: describeNode(RED, this, 'webhook'),
      url: url.trim(),
      // Who knows the address of a Make, Zapier or Slack hook may post to it.
      urlIsSecret: true,
      events: [],
      headers: [
        ...(config.headers ?? []).map(({ name, value }) => ({ name, value, secret: false })),
        ...readSecretHeaders(secretHeaders).map(({ name, value }) => ({ name, value, secret: true })),
      ],
      results: true,
      ...(secret === '' ? {} : { secret }),
      ...secondsOf('delaySeconds', config.delay),
      ...secondsOf('timeoutSeconds', config.timeout),
      ...scheduleOf(config.retrySchedule),
    };
    const stop = sendWebhooks(RED, this, gateway, endpoint);
    this.on('close', (_removed: boolean, done: () => void) => {
      void stop().finally(done);
    });
  }
}

/** Headers whose values are secret are kept as one credential, a JSON list. */
function readSecretHeaders(text: string): { name: string; value: string }[] {
  return text === '' ? [] : (JSON.parse(text) as { name: string; value: string }[]);
}

function secondsOf<Name extends string>(
  name: Name,
  entered: string | number | undefined,
): { [N in Name]?: number } {
  if (entered === undefined || entered === '') return {};
  const seconds = Number(entered);
  return Number.isFinite(seconds) && seconds >= 0 ? ({ [name]: seconds } as { [N in Name]?: number }) : {};
}

function scheduleOf(text: string | undefined): { retrySchedule?: string[] } {
  const retrySchedule = (text ?? '').split(/[\s,]+/).filter((part) => part !== '');
  return retrySchedule.length === 0 ? {} : { retrySchedule };
}
