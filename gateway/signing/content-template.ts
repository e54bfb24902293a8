import { SigningError } from './signing-error.ts';

/** A piece of the signed content: plain text, or a place that is filled for each message. */
export type ContentPart =
  | { kind: 'text'; text: string }
  | { kind: 'timestamp' }
  | { kind: 'id' }
  | { kind: 'body' };

/**
 * Takes a template such as `{timestamp}.{body}` apart. Only a word in braces is a place; other braces are plain text.
 * What fills a place is never looked at again, so braces in a body mean nothing.
 * @throws SigningError `CUSTOM_INVALID` for an unknown place, or where the body is not part of the content.
 */
export function parseContentTemplate(template: string): ContentPart[] {
  const parts: ContentPart[] = [];
  let end = 0;
  for (const match of template.matchAll(/\{([A-Za-z_]{1,40})\}/g)) {
    if (match.index > end) parts.push({ kind: 'text', text: template.slice(end, match.index) });
    parts.push(placeOf(match[1] ?? ''));
    end = match.index + match[0].length;
  }
  if (end < template.length) parts.push({ kind: 'text', text: template.slice(end) });
  if (!parts.some((part) => part.kind === 'body')) {
    throw new SigningError(
      'CUSTOM_INVALID',
      'The template must contain {body}: what is not signed is not protected.',
    );
  }
  return parts;
}

function placeOf(name: string): ContentPart {
  if (name === 'timestamp' || name === 'id' || name === 'body') return { kind: name };
  throw new SigningError(
    'CUSTOM_INVALID',
    `The template names {${name}}: known are {timestamp}, {id} and {body}.`,
  );
}
