import type { Agent } from 'node:http';
import { pinnedAgent } from 'certpin/https';
import { ConfigError } from '../config/config-error.ts';
import type { ReadSecret, SecretPlace } from '../config/secret.ts';
import { isLoopback, lookupLoopback } from '../loopback.ts';
import { clean } from './clean.ts';
import type { MailServer } from './mail-socket.ts';
import type { Place } from './post.ts';
import type { Receiver } from './receiver.ts';
import { createAlertmanager } from './receivers/alertmanager.ts';
import { createChat } from './receivers/chat.ts';
import { createCommand } from './receivers/command.ts';
import { createMail, loadNodemailer } from './receivers/mail.ts';
import { createWebhook } from './receivers/webhook.ts';
import type { MailSettings, ReceiverSettings, WebhookSettings } from './settings.ts';
import { readSigningKey, type SigningKey } from './signature.ts';
import { toSlack } from './slack.ts';
import { toTeams } from './teams.ts';

export interface CreateReceiversOptions {
  /** Which watcher it is, as a URI: the source of its events. */
  readonly source: string;
  readonly readSecret: ReadSecret;
}

/**
 * Makes the receivers of a configuration. Mistakes that can be found without asking a receiver are found here, and not when the first
 * notice must be sent.
 *
 * @throws (as a rejection) ConfigError that names the receiver, without a secret
 */
export async function createReceivers(
  settings: readonly ReceiverSettings[],
  options: CreateReceiversOptions,
): Promise<readonly Receiver[]> {
  const names = settings.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new ConfigError(`receivers: two are called ${twice}; what waits for one would go to the other`);
  const receivers: Receiver[] = [];
  for (const one of settings) {
    try {
      receivers.push(await createReceiver(one, options));
    } catch (error) {
      throw new ConfigError(`receiver ${one.name}: ${clean((error as Error).message)}`, { cause: error });
    }
  }
  return receivers;
}

async function createReceiver(settings: ReceiverSettings, options: CreateReceiversOptions): Promise<Receiver> {
  const { name } = settings;
  const { source, readSecret } = options;
  switch (settings.kind) {
    case 'webhook': {
      const { url } = settings;
      const readKeys = (): readonly SigningKey[] => keysOf(settings, readSecret);
      const readHeaders = headerReader(settings.authorization, readSecret);
      const agent = agentOf(settings);
      const readPlace = (): Place => placeOf(typeof url === 'string' ? url : readSecret(url), settings, agent);
      check(readPlace, readKeys, readHeaders);
      return createWebhook({ name, readPlace, readKeys, readHeaders, source });
    }
    case 'slack':
    case 'teams': {
      const agent = agentOf(settings);
      const readPlace = (): Place => placeOf(readSecret(settings.url), settings, agent);
      check(readPlace);
      return createChat({ name, readPlace, toBody: settings.kind === 'slack' ? toSlack : toTeams });
    }
    case 'alertmanager': {
      const readHeaders = headerReader(settings.authorization, readSecret);
      check(readHeaders);
      const place = placeOf(`${settings.url.replace(/\/+$/, '')}/api/v2/alerts`, settings, agentOf(settings));
      return createAlertmanager({ name, place, readHeaders, source });
    }
    case 'mail': {
      const { user, password, from, to } = settings;
      if ((user === undefined) !== (password === undefined)) throw new ConfigError('user and password go together');
      for (const address of [from, to]) refuseNoAddress(address);
      const login =
        user === undefined || password === undefined ? undefined : () => ({ user, password: readSecret(password) });
      if (login !== undefined) check(login);
      return createMail({ name, server: mailServerOf(settings), login, from, to }, await loadNodemailer());
    }
    case 'command':
      return createCommand({ name, command: settings.command, source });
  }
}

/** What is read again for each notice must be readable now. */
function check(...readers: readonly (() => unknown)[]): void {
  for (const read of readers) read();
}

function keysOf({ secret }: WebhookSettings, readSecret: ReadSecret): readonly SigningKey[] {
  return [secret].flat().map((place) => {
    const key = readSigningKey(readSecret(place));
    if (key !== undefined) return key;
    throw new ConfigError('secret: it is whsec_ and 24 to 64 bytes in base64: echo "whsec_$(openssl rand -base64 32)"');
  });
}

/** RFC 9110 §5.5, without what would be trimmed. */
const HEADER_VALUE = /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/;

function headerReader(place: SecretPlace | undefined, readSecret: ReadSecret): () => Readonly<Record<string, string>> {
  return () => {
    if (place === undefined) return {};
    const authorization = readSecret(place);
    if (HEADER_VALUE.test(authorization)) return { authorization };
    throw new ConfigError('authorization: it is the value of a header in one line: Bearer TOKEN');
  };
}

interface Verified {
  readonly pins?: readonly string[];
  readonly plaintext?: 'accept';
}

/** @throws CertpinError `ERR_PIN_INVALID` */
function agentOf({ pins }: Verified): Agent | undefined {
  return pins === undefined ? undefined : pinnedAgent({ pins: [...pins] });
}

/** @param text may be a secret */
function placeOf(text: string, { pins, plaintext }: Verified, agent: Agent | undefined): Place {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new ConfigError('url: it is https:// and the rest of an address');
  if (url.username !== '' || url.password !== '')
    throw new ConfigError('url: a password in it would be shown; use authorization');
  if (url.protocol === 'http:') {
    if (pins !== undefined) throw new ConfigError('url: http: has no certificate that a pin could match');
    if (plaintext !== 'accept' && !isLoopback(url.hostname)) {
      throw new ConfigError(
        'url: http: can be read and changed on the way; use https:, or write "plaintext": "accept"',
      );
    }
    // Only this machine was meant. Its name may lead to another one when the notice is sent.
    if (plaintext !== 'accept') return { url, agent, lookup: lookupLoopback };
  }
  return { url, agent };
}

const ports = { implicit: 465, starttls: 587, none: 25 };

function mailServerOf({ host, tls = 'implicit', port = ports[tls], pins, user }: MailSettings): MailServer {
  if (tls === 'none' && !isLoopback(host)) {
    throw new ConfigError('tls: without TLS, mail and password can be read on the way; none is for localhost alone');
  }
  if (tls === 'none' && (pins ?? user) !== undefined)
    throw new ConfigError('tls: none goes with neither pins nor user');
  // The agent reads them as every connection will. So a text that is not a pin is found now.
  agentOf(pins === undefined ? {} : { pins });
  return { host, port, tls, pins };
}

/** Exactly one address: no name, no second address, no line break. */
function refuseNoAddress(text: string): void {
  if (!/^[^\s<>,;:"()[\]\\@\p{Cc}]+@[^\s<>,;:"()\\@\p{Cc}]+$/u.test(text)) {
    throw new ConfigError('from and to: each is one address, without a name: ops@example.com');
  }
}
