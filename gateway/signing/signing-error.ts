/**
 * What can be wrong with the settings of a scheme, as opposed to what a sender sent:
 * - `SECRET_MISSING`: no secret, or an empty one
 * - `SECRET_KIND`: a key of another kind (a public key to sign with, a private one to verify with)
 * - `SECRET_ENCODING`: not strict base64, or an unknown prefix
 * - `SECRET_LENGTH`: the decoded key is too short, too long or not of its kind's fixed length
 * - `KEY_MISMATCH`: the two halves of an ed25519 private key do not belong together
 * - `ID_INVALID`, `TIMESTAMP_INVALID`: cannot be signed as given
 * - `SCHEME_UNKNOWN`, `CUSTOM_INVALID`: no such scheme; a custom scheme that cannot work
 */
export type SigningErrorCode =
  | 'SECRET_MISSING'
  | 'SECRET_KIND'
  | 'SECRET_ENCODING'
  | 'SECRET_LENGTH'
  | 'KEY_MISMATCH'
  | 'ID_INVALID'
  | 'TIMESTAMP_INVALID'
  | 'SCHEME_UNKNOWN'
  | 'CUSTOM_INVALID';

/**
 * A setting of a signature scheme that cannot be used. The message names the remedy and never holds the secret.
 *
 * A class of its own because `signing/` imports nothing of the gateway; whoever takes the setting from a user
 * turns it into that place's error (`BAD_USER_INPUT`, `CONFIGURATION`, a usage error).
 */
export class SigningError extends Error {
  override readonly name = 'SigningError';
  readonly code: SigningErrorCode;

  constructor(code: SigningErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
