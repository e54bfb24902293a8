/** A JSON object as it came: nothing about its members is known yet. */
export type JsonObject = Record<string, unknown>;

export type JsonObjectResult = { ok: true; value: JsonObject } | { ok: false; problem: string };

/**
 * Levels of nesting that are accepted. `JSON.parse` reads any depth, but writing it again is recursive
 * and runs out of stack somewhere above 2,000 levels, as do most programs that would receive it.
 */
export const MAX_JSON_DEPTH = 500;

/** One level costs two characters at least, so shorter texts cannot be too deep and are not looked through. */
const SURELY_SHALLOW_LENGTH = MAX_JSON_DEPTH * 2;

/** Strict UTF-8, and a leading byte order mark is dropped. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** Reads bytes that should be one JSON object. The problem is a sentence and quotes nothing of the bytes. */
export function parseJsonObject(raw: Uint8Array): JsonObjectResult {
  if (raw.length === 0) return { ok: false, problem: 'the body is empty; a JSON object is expected' };
  let text: string;
  try {
    text = utf8.decode(raw);
  } catch {
    return { ok: false, problem: 'the body is not valid UTF-8' };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, problem: 'the body is not valid JSON' };
  }
  if (!isJsonObject(value)) {
    return { ok: false, problem: 'the body is valid JSON but not an object' };
  }
  if (text.length > SURELY_SHALLOW_LENGTH && isDeeperThan(text, MAX_JSON_DEPTH)) {
    return { ok: false, problem: `the body is nested more than ${MAX_JSON_DEPTH} levels deep` };
  }
  return { ok: true, value };
}

/** True for what JSON writes in braces: neither `null` nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `json` is known to be valid JSON, so brackets need only be counted. */
function isDeeperThan(json: string, limit: number): boolean {
  // Few texts have more brackets in all than may be open at once, and finding that out is much cheaper.
  return countOf('{', json) + countOf('[', json) > limit && greatestDepth(json) > limit;
}

function countOf(character: string, text: string): number {
  let count = 0;
  for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) count++;
  return count;
}

function greatestDepth(json: string): number {
  let depth = 0;
  let greatest = 0;
  let inString = false;
  for (let index = 0; index < json.length; index++) {
    const code = json.charCodeAt(index);
    if (inString) {
      if (code === BACKSLASH) index++;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) {
      inString = true;
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      greatest = Math.max(greatest, ++depth);
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      depth--;
    }
  }
  return greatest;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
