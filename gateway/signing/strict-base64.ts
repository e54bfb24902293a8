/**
 * Decodes standard base64, padded or not. Refused: other characters, padding that does not fit,
 * and spare bits in the last character that are not zero (the mark of a text cut short).
 * @returns `null` where it is refused.
 */
export function decodeStrictBase64(text: string): Buffer | null {
  if (!ALPHABET.test(text)) return null;
  const bytes = Buffer.from(text, 'base64');
  const canonical = bytes.toString('base64');
  return text === canonical || text === canonical.replace(/=+$/, '') ? bytes : null;
}

const ALPHABET = /^[A-Za-z0-9+/]+={0,2}$/;
