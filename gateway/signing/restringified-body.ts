/**
 * The body as a sender has it that signs `JSON.stringify(payload)` but sends other bytes
 * (other spacing, escapes, order of numeric keys).
 * @returns `null` where the body is not JSON in UTF-8, or is that form already.
 */
export function restringifiedBody(body: Uint8Array): string | null {
  let text: string;
  let again: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    again = JSON.stringify(JSON.parse(text));
  } catch {
    return null;
  }
  return again === text ? null : again;
}
