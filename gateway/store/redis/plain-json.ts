/**
 * JSON without halves of surrogate pairs, which a sender's text may hold and which neither UTF-8 nor the parser on the
 * other side knows: each becomes the replacement character, as it does when text is encoded.
 */
export function toPlainJson(value: unknown): string {
  const json = JSON.stringify(value);
  if (!json.includes('\\ud')) return json;
  // Each escape is taken as a whole, so that an escaped backslash before "ud" is none of this.
  return json.replaceAll(/\\(?:ud[89a-f][0-9a-f]{2}|.)/g, (escape) =>
    escape.length === 6 ? '\ufffd' : escape,
  );
}
