import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Document } from 'bson';

/** Who may log in. */
export interface MongodbLogin {
  readonly user: string;
  readonly password: string;
}

/** The least that drivers accept. */
const ITERATIONS = 4096;

export const authenticationFailed: Document = {
  ok: 0,
  code: 18,
  codeName: 'AuthenticationFailed',
  errmsg: 'Authentication failed.',
};

/** SCRAM-SHA-256 (RFC 5802, RFC 7677) on one connection. The client's proof is verified: a wrong password is refused. */
export function startScram({ user, password }: MongodbLogin): {
  readonly begin: (payload: Buffer) => Document;
  readonly go: (payload: Buffer) => Document;
} {
  let firstMessages: string | undefined;
  const salt = randomBytes(16);
  const say = (payload: string, done: boolean): Document => ({
    conversationId: 1,
    done,
    payload: Buffer.from(payload),
    ok: 1,
  });
  return {
    begin: (payload) => {
      const first = payload.toString('utf8').replace(/^n,,/, '');
      const { n: name, r: nonce } = readFields(first);
      if (name !== user.replaceAll('=', '=3D').replaceAll(',', '=2C')) return authenticationFailed;
      const answer = `r=${nonce}${randomBytes(18).toString('base64')},s=${salt.toString('base64')},i=${ITERATIONS}`;
      firstMessages = `${first},${answer}`;
      return say(answer, false);
    },
    go: (payload) => {
      const last = payload.toString('utf8');
      const { p: proof = '', r: nonce } = readFields(last);
      if (firstMessages === undefined || !firstMessages.includes(`,r=${nonce},s=`)) return authenticationFailed;
      const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
      const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest();
      const said = `${firstMessages},${last.replace(/,p=.*$/, '')}`;
      const mask = hmac(storedKey, said);
      const clientKey = Buffer.from(proof, 'base64').map((byte, index) => byte ^ (mask[index] ?? 0));
      const presented = createHash('sha256').update(clientKey).digest();
      if (!timingSafeEqual(presented, storedKey)) return authenticationFailed;
      return say(`v=${hmac(hmac(salted, 'Server Key'), said).toString('base64')}`, true);
    },
  };
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function readFields(message: string): Record<string, string> {
  return Object.fromEntries(message.split(',').map((field) => [field[0], field.slice(2)]));
}
