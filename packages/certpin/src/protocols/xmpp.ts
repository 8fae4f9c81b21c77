import { CertpinError } from '../errors.ts';
import { urlHost } from '../host.ts';
import type { UpgradeProtocol, UpgradeStep } from './contract.ts';
import { injected, refused, unexpected } from './upgrade-errors.ts';
import { readXmlTag, type XmlTag } from './xml-tags.ts';

type XmppName = 'xmpp' | 'xmpp-server';

/** RFC 6120 §4.8.2 and §5.3.1. */
const namespaces = {
  stream: 'http://etherx.jabber.org/streams',
  tls: 'urn:ietf:params:xml:ns:xmpp-tls',
  xmpp: 'jabber:client',
  'xmpp-server': 'jabber:server',
};

const STARTTLS = `<starttls xmlns='${namespaces.tls}'/>`;

/** Longest answer, in bytes: as much as Node takes for the head of an HTTP response. */
const MAX_ANSWER_BYTES = 16_384;

/** Longest tag, in bytes. */
const MAX_TAG_BYTES = 4_096;

// What may come before a tag: XML's declaration (XML 1.0 §2.8), white space, text.
const BEFORE_STREAM = /^(?:<\?xml\s[^<>]*\?>)?\s*/;
const CUT_DECLARATION = /^<\?[^<>]*$/;
const BETWEEN_ELEMENTS = /^\s*/;
const INSIDE_ELEMENTS = /^[^<]*/;

/** The conditions of a stream error (RFC 6120 §4.9.3) that say what to do. */
const conditions: Record<string, string> = {
  'host-unknown': 'it does not serve this name',
  'host-gone': 'it does not serve this name any more',
  'improper-addressing': 'it does not serve this name',
  'policy-violation': 'its policy does not allow the connection',
  'resource-constraint': 'it is too busy',
  'see-other-host': 'it sends clients to another host',
  'system-shutdown': 'it is about to shut down',
};

/**
 * STARTTLS of XMPP, for clients or for servers (RFC 6120 §5.4). Each side opens a stream, and the server lists its features. TLS begins
 * after `<proceed/>`. The prefix of streams is `stream`, as everywhere (§4.8.5).
 *
 * @throws CertpinError `ERR_OPTION_INVALID` if the host is not a host: its characters could end the tag and begin another
 */
export function createXmppUpgrade(name: XmppName, host: string): UpgradeProtocol {
  const header =
    `<?xml version='1.0'?><stream:stream xmlns='${namespaces[name]}' xmlns:stream='${namespaces.stream}' ` +
    `to='${toDomain(host)}' version='1.0'>`;
  let cut = '';
  let taken = 0;
  // The names of the elements around the current place.
  const path: string[] = [];
  let phase: 'features' | 'answer' | 'ended' = 'features';
  let isOffered = false;

  const foreign = () => {
    const what =
      phase === 'features' ? 'did not greet as XMPP does' : 'answered starttls with something that XMPP does not say';
    return unexpected(name, `the server ${what}`);
  };

  // Takes the beginning of an element.
  const open = ({ name: element, attributes }: XmlTag): void => {
    const [, parent] = path;
    const isOfTls = attributes.get('xmlns') === namespaces.tls;
    if (path.length === 0) {
      if (element !== 'stream:stream' || attributes.get('xmlns:stream') !== namespaces.stream) throw foreign();
      // RFC 6120 §4.7.5: versions before 1.0 have no features.
      if (!attributes.has('version'))
        throw refused(name, 'the XMPP server offers no TLS (it speaks a version before 1.0)');
    } else if (path.length === 1) {
      if (element === 'stream:error') return;
      if (phase === 'answer' && element === 'failure' && isOfTls)
        throw refused(name, 'the XMPP server refuses TLS (it answered starttls with a failure)');
      if (phase === 'features' ? element !== 'stream:features' : element !== 'proceed' || !isOfTls) throw foreign();
    } else if (path.length === 2 && parent === 'stream:features') isOffered ||= element === 'starttls' && isOfTls;
    else if (parent === 'stream:error') throw turnedAway(name, conditions[element]);
  };

  // Takes the end of an element.
  const close = (element: string): UpgradeStep | undefined => {
    if (path.length === 0) throw refused(name, 'the XMPP server turns the client away (it ended the stream)');
    if (path.length > 1) return undefined;
    if (element === 'stream:error') throw turnedAway(name);
    if (phase === 'features') {
      if (!isOffered) throw refused(name, 'the XMPP server offers no TLS (its features lack starttls)');
      // The server cannot know the question yet, so these bytes are not its answer.
      if (cut !== '') throw unexpected(name, 'the XMPP server spoke on before it was asked');
      phase = 'answer';
      taken = 0;
      return { next: 'send', bytes: Buffer.from(STARTTLS) };
    }
    if (cut !== '') throw injected(name, cut.length);
    phase = 'ended';
    return { next: 'tls' };
  };

  const take = (tag: XmlTag): UpgradeStep | undefined => {
    if (tag.kind !== 'end') {
      open(tag);
      if (tag.kind === 'start') path.push(tag.name);
    } else if (path.pop() !== tag.name) throw foreign();
    return tag.kind === 'start' ? undefined : close(tag.name);
  };

  const skip = (length: number): void => {
    cut = cut.slice(length);
    taken += length;
    if (taken > MAX_ANSWER_BYTES) throw tooLong(name);
  };

  const receive = (bytes: Uint8Array): UpgradeStep => {
    if (bytes.length === 0) return { next: 'wait' };
    if (phase === 'ended') throw injected(name, bytes.length);
    cut += Buffer.from(bytes).toString('latin1');
    for (;;) {
      const text = path.length === 0 ? BEFORE_STREAM : path.length === 1 ? BETWEEN_ELEMENTS : INSIDE_ELEMENTS;
      skip(text.exec(cut)?.[0].length ?? 0);
      if (cut === '' || (path.length === 0 && CUT_DECLARATION.test(cut))) break;
      const tag = readXmlTag(cut);
      if (tag === 'foreign') throw foreign();
      if (tag === 'cut') break;
      skip(tag.length);
      const step = take(tag);
      if (step !== undefined) return step;
    }
    if (cut.length > MAX_TAG_BYTES || taken + cut.length > MAX_ANSWER_BYTES) throw tooLong(name);
    return { next: 'wait' };
  };
  return { name, opening: Buffer.from(header), receive };
}

/**
 * RFC 6120 §4.7.2. A URL allows characters in a name that end an attribute, such as an apostrophe. So only letters, digits, hyphens and
 * dots are sent.
 */
function toDomain(host: string): string {
  const domain = urlHost(host);
  if (domain !== undefined && /^(?:[a-z\d._-]+|\[[a-f\d:.]+\])$/.test(domain)) return domain;
  throw new CertpinError(
    'ERR_OPTION_INVALID',
    'the host to be called by XMPP is neither a host name nor an IP address',
    {
      option: 'host',
    },
  );
}

function turnedAway(name: XmppName, meaning?: string): CertpinError<'ERR_UPGRADE_REFUSED'> {
  const why = meaning === undefined ? '' : `: ${meaning}`;
  return refused(name, `the XMPP server turns the client away (it sent a stream error${why})`);
}

function tooLong(name: XmppName): CertpinError<'ERR_UPGRADE_UNEXPECTED'> {
  return unexpected(
    name,
    `the XMPP server sent more than ${MAX_ANSWER_BYTES} bytes, or a tag of more than ${MAX_TAG_BYTES}`,
  );
}
