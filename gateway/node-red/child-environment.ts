/** What a program needs to run and to know where it is; the last three exist on Windows only. */
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'TZ', 'NODE_ENV', 'SystemRoot', 'TEMP', 'USERPROFILE'];

/**
 * The environment of the Node-RED process. Every flow can read it, so it holds no key but the scoped one, and
 * nothing of what else happens to be in ours.
 */
export function childEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  gatewayUrl: string,
  flowKey: string,
): Record<string, string> {
  const passed = PASSED_ON.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  return { ...Object.fromEntries(passed), HOOKLINE_URL: gatewayUrl, HOOKLINE_FLOW_KEY: flowKey };
}
