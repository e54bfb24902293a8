/** Tries every way of matching twenty runs of digits before it gives up, inside a regular expression of JSONata's own. */
export const HANGS_IN_A_PATTERN = `$toMillis($pad("1", 80, "1") & "x", "${'[f]'.repeat(20)}")`;

/** Goes on for ever without ever going deeper. */
export const NEVER_ENDS = '($f := function($n) { $f($n + 1) }; $f(0))';

/** A text of 268 million characters, made of itself in 28 steps and then counted. */
export const GROWS_A_TEXT =
  '($f := function($s, $n) { $n = 0 ? $s : $f($s & $s, $n - 1) }; $length($f("xy", 27)))';

/** The same expression, in a text of its own: what is remembered of one says nothing about the other. */
export function rename(source: string, name: string): string {
  return `/* ${name} */ ${source}`;
}
