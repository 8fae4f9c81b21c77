import { CertpinError } from '../errors.ts';
import type { Envelope, MediatedUpgrade, UpgradeStep } from './contract.ts';
import { type Conversation, createConversation } from './conversation.ts';
import {
  createEnvelope,
  demandTls,
  ENCRYPT_NOT_SUPPORTED,
  ENCRYPT_ON,
  type Encryption,
  PRELOGIN,
  readPrelogin,
  TABULAR_RESULT,
} from './mssql.ts';
import { unexpected } from './upgrade-errors.ts';

const name = 'mssql';

/** SQL Server's upgrade, in the place of a driver that knows nothing of TLS. */
export interface MssqlMediation extends MediatedUpgrade {
  readonly envelope: Envelope;
  /** After the verdict: shows the driver the server's answer. From here on, everything that both say is passed on. */
  readonly release: () => void;
}

/**
 * In its PRELOGIN, the driver says that it does not encrypt. certpin changes only this, so that the server reads that it does. An instance,
 * and the data for a login with a token, stay the driver's own. The server's answer is kept until the verdict. Then the driver reads it,
 * with an ENCRYPTION that lets it log in.
 *
 * @param show gives bytes to the driver
 */
export function createMssqlMediation(show: (answer: Uint8Array) => unknown): MssqlMediation {
  const request = keepPrelogin(PRELOGIN, isDriversOwn);
  const answer = keepPrelogin(TABULAR_RESULT, demandTls);
  let isAsked = false;
  let isWhole = false;
  let proceed: ((step: UpgradeStep) => void) | undefined;

  const ask = (): void => {
    if (!isWhole || proceed === undefined) return;
    isAsked = true;
    proceed({ next: 'send', bytes: request.saying(ENCRYPT_ON) });
  };
  const mediation: MssqlMediation = {
    name,
    envelope: createEnvelope(),
    attach: (take) => {
      proceed = take;
      ask();
    },
    receive: (bytes) => {
      if (!isAsked) throw unexpected(name, 'the server spoke before it was asked');
      return answer.take(bytes);
    },
    fromDriver: (bytes) => {
      if (isWhole) throw unsupported('it spoke before it was answered');
      isWhole = takeFromDriver(request, bytes);
      ask();
      return Buffer.alloc(0);
    },
    fromServer: (bytes) => bytes,
    release: () => {
      mediation.fromDriver = (bytes) => bytes;
      show(answer.saying(ENCRYPT_NOT_SUPPORTED));
    },
  };
  return mediation;
}

/**
 * TDS 8: the driver's PRELOGIN is inside TLS, and the server's ENCRYPTION does not matter. The driver, which knows nothing of TLS, reads an
 * ENCRYPTION that lets it log in.
 */
export function createStrictMediation(): Pick<MediatedUpgrade, 'fromDriver' | 'fromServer'> {
  const answer = keepPrelogin(TABULAR_RESULT, (encryption) => encryption);
  const mediation: Pick<MediatedUpgrade, 'fromDriver' | 'fromServer'> = {
    fromDriver: (bytes) => bytes,
    fromServer: (bytes) => {
      if (answer.take(bytes).next !== 'tls') return Buffer.alloc(0);
      mediation.fromServer = (passed) => passed;
      return answer.saying(ENCRYPT_NOT_SUPPORTED);
    },
  };
  return mediation;
}

/** A PRELOGIN as it came, to be passed on with another ENCRYPTION. */
interface KeptPrelogin {
  /** `tls`: it is complete. */
  readonly take: (bytes: Uint8Array) => UpgradeStep;
  readonly saying: (encryption: number) => Buffer;
}

function keepPrelogin(type: number, check: (read: Encryption | undefined) => Encryption | undefined): KeptPrelogin {
  const pieces: Uint8Array[] = [];
  let encryption: Encryption | undefined;
  function* read(): Conversation {
    encryption = check(yield* readPrelogin(type));
  }
  const { receive } = createConversation(name, undefined, read());
  return {
    take: (bytes) => {
      pieces.push(bytes);
      return receive(bytes);
    },
    saying: (value) => {
      const packet = Buffer.concat(pieces);
      if (encryption !== undefined) packet[encryption.at] = value;
      return packet;
    },
  };
}

/** @returns whether the request is complete */
function takeFromDriver(request: KeptPrelogin, bytes: Uint8Array): boolean {
  try {
    return request.take(bytes).next === 'tls';
  } catch (error) {
    throw (error as CertpinError).code === 'ERR_CLIENT_UNSUPPORTED'
      ? error
      : unsupported('it does not begin as TDS does');
  }
}

/** A copy of the configuration with `encrypt` switched on would begin a second TLS after the verdict. */
function isDriversOwn(encryption: Encryption | undefined): Encryption {
  if (encryption?.value !== ENCRYPT_NOT_SUPPORTED)
    throw unsupported('`encrypt` is not what certpin has set; pass on the configuration unchanged');
  return encryption;
}

function unsupported(what: string): CertpinError<'ERR_CLIENT_UNSUPPORTED'> {
  return new CertpinError('ERR_CLIENT_UNSUPPORTED', `the SQL Server driver cannot be pinned: ${what}`, {
    client: name,
  });
}
