import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

// The recorded ciphertext of Auth0 begins with `CkIKI`.
const head = Buffer.from([0x0a, 0x42, 0x0a, 0x20]);

/** Encrypts under its own key: another vault cannot read its ciphertext, and each ciphertext is different. */
export class Vault {
  readonly #key = randomBytes(32);

  seal(text: string): string {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv);
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([head, iv, cipher.getAuthTag(), sealed]).toString('base64');
  }

  /** The text that was sealed. undefined: this vault has not sealed it. */
  open(sealed: string): string | undefined {
    const bytes = Buffer.from(sealed, 'base64');
    if (!bytes.subarray(0, 4).equals(head) || bytes.length < 32) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(4, 16));
    decipher.setAuthTag(bytes.subarray(16, 32));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(32)), decipher.final()]).toString('utf8');
    } catch {
      return undefined;
    }
  }
}
