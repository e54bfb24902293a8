/** A command could not do what it was asked; the message is the one sentence that is printed. Exit code 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}
