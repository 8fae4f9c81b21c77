import type { UpgradeName } from '../../src/protocols/registry.ts';

export type BinaryProtocol = 'ldap' | 'mssql' | 'vnc' | 'rdp';

/** The protocols whose upgrade is a conversation in text, and Telnet. */
export type TextProtocol = Exclude<UpgradeName, 'postgres' | 'mysql' | BinaryProtocol>;

interface Transcript {
  /** What the server says, turn by turn; the last one is its consent. */
  readonly server: readonly string[];
  /** What the client says to it. */
  readonly client: readonly string[];
  /** Other right words of a server, to which the client says the same. */
  readonly variants?: readonly (readonly string[])[];
  /** After so many turns, the server says this, and the message is to say that. */
  readonly refusals: readonly (readonly [turns: number, words: string, meaning: RegExp])[];
  /** After so many turns, the server says this, and its last byte is too much. */
  readonly unexpected: readonly (readonly [turns: number, words: string])[];
  /** After so many turns, the server says this once, and that again and again. */
  readonly endless: readonly (readonly [turns: number, first: string, again: string])[];
  /** How a conversation ends in which TLS may begin. */
  readonly consent: RegExp;
  /** What the server may say in between. */
  readonly padding: string;
}

const mail = (hello: string, title: string): Transcript => {
  const offer = '250-mail.example.com Hello\r\n250-SIZE 52428800\r\n250-STARTTLS\r\n250 PIPELINING\r\n';
  return {
    server: ['220 mail.example.com ESMTP\r\n', offer, '220 Go ahead\r\n'],
    client: [`${hello} certpin.invalid\r\n`, 'STARTTLS\r\n'],
    variants: [
      ['220-mail.example.com\r\n220-evil \xff text\r\n220 ESMTP\r\n', '250 starttls\r\n', '220-Go\r\n220 ahead\r\n'],
      ['220\r\n', '250-x\r\n250 STARTTLS \r\n', '220\r\n'],
    ],
    refusals: [
      [
        0,
        '554 evil.example.com no\r\n',
        new RegExp(`^the ${title} server turns the client away \\(it greeted with 554\\)$`),
      ],
      [0, '421-evil\r\n', /it greeted with 421/],
      [
        1,
        '250-mail\r\n250-XSTARTTLS\r\n250 STARTTLSEVIL\r\n',
        new RegExp(`offers no TLS \\(its answer to ${hello} lacks STARTTLS\\)`),
      ],
      [1, '502 evil\r\n', new RegExp(`turns the client away \\(it answered ${hello} with 502: it does not offer`)],
      [2, '454 evil\r\n', /refuses TLS \(it answered STARTTLS with 454: TLS is not available for now\)/],
      [2, '599 evil\r\n', /refuses TLS \(it answered STARTTLS with 599\)/],
    ],
    unexpected: [
      [0, '+'],
      [0, 'S'],
      [0, '22x'],
      [0, '2200'],
      [0, '0'],
      [0, '250 evil\r\n'],
      [0, '220 evil\n'],
      [0, '220 evil\rx'],
      [0, '220 evil\0'],
      [0, '220-evil\r\n250 evil\r\n'],
      [0, '220-evil\r\ne'],
      [1, '250-evil\r\n220 evil\r\n'],
      [1, '354 evil\r\n'],
      [2, '250 evil\r\n'],
      [2, '334 evil\r\n'],
    ],
    endless: [
      [0, '220-', 'y'.repeat(100)],
      [0, '220-x\r\n', '220-y\r\n'],
      [1, '250-x\r\n', `250-${'y'.repeat(995)}\r\n`],
      [2, '220-x\r\n', '220-\r\n'],
    ],
    consent: /\r\n220(?: [^\r\n]*)?\r\n$/,
    padding: '220-x\r\n',
  };
};

const streamHeader = (namespace: string) =>
  `<?xml version='1.0'?><stream:stream xmlns='${namespace}' xmlns:stream='http://etherx.jabber.org/streams' id='t7AMCin9zjMNwQKDnplntZPIDEI=' from='im.example.com' version='1.0'>`;

const xmpp = (namespace: string): Transcript => {
  const header = streamHeader(namespace);
  const tls = "xmlns='urn:ietf:params:xml:ns:xmpp-tls'";
  const features = `<stream:features><starttls ${tls}><required/></starttls></stream:features>`;
  const mechanisms =
    "<stream:features>\n<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>";
  const greeting = header + features;
  return {
    server: [greeting, `<proceed ${tls}/>`],
    client: [
      `<?xml version='1.0'?><stream:stream xmlns='${namespace}' xmlns:stream='http://etherx.jabber.org/streams' to='im.example.com' version='1.0'>`,
      `<starttls ${tls}/>`,
    ],
    variants: [
      [
        header.replaceAll("'", '"').replace(/id="[^"]*"/, `id='a>"b'`) + features.replaceAll("'", '"'),
        `<proceed ${tls}></proceed>`,
      ],
      [
        `${header.replace(/<\?.*\?>/, '')}\n${mechanisms}<starttls ${tls} />\n</stream:features>`,
        `\n<proceed\n${tls} />`,
      ],
    ],
    refusals: [
      [
        0,
        `${header}<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>`,
        /stream error: it does not serve this name/,
      ],
      [0, `${header}<stream:error><evil/>`, /turns the client away \(it sent a stream error\)$/],
      [0, `${header}<stream:error/>`, /turns the client away \(it sent a stream error\)$/],
      [0, `${header}</stream:stream>`, /turns the client away \(it ended the stream\)/],
      [0, `${header}<stream:features/>`, /offers no TLS \(its features lack starttls\)/],
      [0, `${header}${mechanisms}</stream:features>`, /lack starttls/],
      [0, `${header}<stream:features><x><starttls ${tls}/></x></stream:features>`, /lack starttls/],
      [0, `${header}<stream:features><starttls xmlns='evil'/></stream:features>`, /lack starttls/],
      [0, header.replace(" version='1.0'>", '>'), /a version before 1\.0/],
      [1, `<failure ${tls}/>`, /refuses TLS \(it answered starttls with a failure\)/],
      [1, '</stream:stream>', /it ended the stream/],
      [1, '<stream:error><system-shutdown/>', /about to shut down/],
    ],
    unexpected: [
      [0, 'H'],
      [0, '<!'],
      [0, '<h>'],
      [0, '<?xml version="1.0"?><!'],
      [0, "<stream:stream xmlns:stream='evil' version='1.0'>"],
      [0, '<stream:stream a=b>'],
      [0, "<stream:stream a='b' a='c'>"],
      [0, '<stream:stream a="<'],
      [0, '</stream:stream>'],
      [0, `${header}x`],
      [0, `${header}<!`],
      [0, `${header}<?`],
      [0, `${header}<proceed ${tls}/>`],
      [0, `${header}<stream:features></starttls>`],
      [0, `${header}<stream:features></stream:features x='y'>`],
      [1, 'x'],
      [1, '<proceed/>'],
      [1, "<proceed xmlns='evil'/>"],
      [1, `<x:proceed ${tls}/>`],
      [1, '<stream:features>'],
    ],
    endless: [
      [0, '<?xml ', 'y'.repeat(100)],
      [0, '<stream:stream x="', '>'.repeat(100)],
      [0, '<a', 'a'.repeat(100)],
      [0, header, '\n'.repeat(100)],
      [0, `${header}<stream:features>`, '<y>'],
      [0, `${header}<stream:features><y>`, 'y'.repeat(100)],
      [1, `<proceed ${tls}>`, 'y'.repeat(100)],
    ],
    consent: new RegExp(`<proceed\\s+${tls}\\s*(?:/>|>.*</proceed\\s*>)$`, 's'),
    padding: '\n',
  };
};

const telnet = (...codes: number[]) => String.fromCharCode(...codes);
const [IAC, DONT, DO, WONT, WILL, SB, SE, NOP] = [255, 254, 253, 252, 251, 250, 240, 241] as const;
const DO_TLS = telnet(IAC, DO, 46);
const FOLLOWS = telnet(IAC, SB, 46, 1, IAC, SE);
/** Terminal type, wanted, and its subnegotiation with an IAC in it. */
const OTHERS = telnet(IAC, DO, 24, IAC, SB, 24, 1, IAC, IAC, 46, IAC, SE, IAC, NOP, IAC, WILL, 3);

export const transcripts: Readonly<Record<TextProtocol, Transcript>> = {
  smtp: mail('EHLO', 'SMTP'),
  lmtp: mail('LHLO', 'LMTP'),
  pop3: {
    server: ['+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n', '+OK Begin TLS negotiation\r\n'],
    client: ['STLS\r\n'],
    variants: [['+OK\r\n', '+OK\r\n']],
    refusals: [
      [0, '-ERR evil\r\n', /^the POP3 server turns the client away \(it greeted with -ERR\)$/],
      [1, '-ERR evil\r\n', /^the POP3 server refuses TLS \(it answered STLS with -ERR\)$/],
    ],
    unexpected: [
      [0, '2'],
      [0, '*'],
      [0, '+ '],
      [0, '-E '],
      [0, '+OKevil\r\n'],
      [0, '+OK evil\n'],
      [1, '+OK evil\0'],
      [1, 'x'],
    ],
    endless: [
      [0, '+OK ', 'y'.repeat(100)],
      [1, '+OK ', 'y'.repeat(100)],
    ],
    consent: /\r\n\+OK(?: [^\r\n]*)?\r\n$/i,
    padding: ' x',
  },
  ftp: {
    server: ['220 FTP server ready\r\n', '234 AUTH command ok; starting TLS\r\n'],
    client: ['AUTH TLS\r\n'],
    variants: [
      ['220---------- Welcome ----------\r\n230 evil\r\n\r\n 220 evil\r\n220-x\r\n220 end\r\n', '234\r\n'],
      ['220-\r\n220 \r\n', '234-x\r\nx\r\n234 y\r\n'],
    ],
    refusals: [
      [0, '421 evil\r\n', /^the FTP server turns the client away \(it greeted with 421\)$/],
      [0, '530-evil\r\n', /it greeted with 530/],
      [1, '500 evil\r\n', /refuses TLS \(it answered AUTH TLS with 500: it does not know the command\)/],
      [1, '530 evil\r\n', /it demands a login first/],
      [1, '534 evil\r\n', /its policy has no TLS/],
    ],
    unexpected: [
      [0, 'x'],
      [0, '120 evil\r\n'],
      [0, '220-x\r\nevil\n'],
      [0, '220-x\r\nevil\0'],
      [1, '334 evil\r\n'],
      [1, '220 evil\r\n'],
    ],
    endless: [
      [0, '220-', 'y'.repeat(100)],
      [0, '220-x\r\n', 'y\r\n'],
      [0, '220-x\r\n', '\r\n'],
      [0, '220-x\r\n', `${'y'.repeat(998)}\r\n`],
    ],
    consent: /\r\n234(?: [^\r\n]*)?\r\n$/,
    padding: '220-x\r\n',
  },
  nntp: {
    server: ['200 news.example.com InterNetNews ready\r\n', '382 Continue with TLS negotiation\r\n'],
    client: ['STARTTLS\r\n'],
    variants: [['201 no posting\r\n', '382\r\n']],
    refusals: [
      [0, '502 evil\r\n', /^the NNTP server turns the client away \(it greeted with 502\)$/],
      [0, '400 evil\r\n', /it greeted with 400/],
      [1, '580 evil\r\n', /refuses TLS \(it answered STARTTLS with 580: it cannot begin TLS\)/],
      [1, '500 evil\r\n', /it does not know the command/],
    ],
    unexpected: [
      [0, '200-'],
      [0, '220 evil\r\n'],
      [1, '382-'],
      [1, '200 evil\r\n'],
      [1, 'x'],
    ],
    endless: [
      [0, '200 ', 'y'.repeat(100)],
      [1, '382 ', 'y'.repeat(100)],
    ],
    consent: /\r\n382(?: [^\r\n]*)?\r\n$/,
    padding: ' x',
  },
  imap: {
    server: [
      '* OK [CAPABILITY IMAP4rev1] ready\r\n',
      '* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\nc1 OK CAPABILITY completed\r\n',
      'c2 OK Begin TLS negotiation now\r\n',
    ],
    client: ['c1 CAPABILITY\r\n', 'c2 STARTTLS\r\n'],
    variants: [
      [
        '* ok\r\n',
        '* 5 EXISTS\r\n* capability imap4rev1 starttls\r\n* OK evil \xff\r\nC1 ok\r\n',
        '* OK evil\r\nC2 OK\r\n',
      ],
    ],
    refusals: [
      [0, '* BYE evil\r\n', /^the IMAP server turns the client away \(it said BYE\)$/],
      [0, '* PREAUTH evil\r\n', /offers no TLS \(its greeting says that the client is logged in\)/],
      [
        1,
        '* CAPABILITY IMAP4rev1 XSTARTTLS STARTTLSEVIL\r\nc1 OK\r\n',
        /offers no TLS \(its capabilities lack STARTTLS\)/,
      ],
      [1, 'c1 OK [CAPABILITY evil]\r\n', /its capabilities lack STARTTLS/],
      [1, 'c1 BAD evil\r\n', /it answered CAPABILITY with BAD/],
      [2, 'c2 NO evil\r\n', /refuses TLS \(it answered STARTTLS with NO\)/],
      [2, 'c2 BAD evil\r\n', /it answered STARTTLS with BAD/],
      [2, '* BYE evil\r\n', /it said BYE/],
    ],
    unexpected: [
      [0, '+'],
      [0, '* N'],
      [0, '* OKevil\r\n'],
      [0, '* OK evil\n'],
      [1, '+'],
      [1, 'c2'],
      [1, 'c1 evil\r\n'],
      [1, '* evil {10}\r\n'],
      [2, 'c1'],
      [2, 'c2 OK evil {1}\r\n'],
      [2, 'c2 OKEVIL\r\n'],
    ],
    endless: [
      [0, '* OK ', 'y'.repeat(100)],
      [1, '* CAPABILITY ', 'y'.repeat(100)],
      [1, '* x\r\n', '* y\r\n'],
      [2, '* x\r\n', `* ${'y'.repeat(996)}\r\n`],
    ],
    consent: /\r\nc2 OK(?: [^\r\n]*)?\r\n$/i,
    padding: '* x\r\n',
  },
  sieve: {
    server: [
      '"IMPLEMENTATION" "Example1 ManageSieved v001"\r\n"SASL" ""\r\n"SIEVE" "fileinto vacation"\r\n"STARTTLS"\r\n"VERSION" "1.0"\r\nOK\r\n',
      'OK\r\n',
    ],
    client: ['STARTTLS\r\n'],
    variants: [
      [
        '"starttls"\r\n"X" "evil \\"quoted\\" {5}"\r\nok "ready {5}"\r\n',
        'OK (TAG "x") "Begin TLS negotiation now."\r\n',
      ],
    ],
    refusals: [
      [0, 'BYE evil\r\n', /^the ManageSieve server turns the client away \(it greeted with BYE\)$/],
      [0, '"X" "STARTTLS"\r\n"XSTARTTLS"\r\nOK\r\n', /offers no TLS \(its capabilities lack STARTTLS\)/],
      [0, 'NO evil\r\n', /it greeted with NO/],
      [1, 'NO (TRYLATER) "evil"\r\n', /refuses TLS \(it answered STARTTLS with NO\)/],
      [1, 'BYE evil\r\n', /it answered STARTTLS with BYE/],
    ],
    unexpected: [
      [0, 'x'],
      [0, '*'],
      [0, '"evil\r\n'],
      [0, '"X" evil\r\n'],
      [0, '"X" {5}\r\n'],
      [0, '"STARTTLS"\r\nOK {5}\r\n'],
      [0, 'OKevil\r\n'],
      [0, '"STARTTLS"\n'],
      [1, '"'],
      [1, 'OK {5}\r\n'],
      [1, 'OK {5+}\r\n'],
      [1, 'OKevil\r\n'],
    ],
    endless: [
      [0, '"', 'y'.repeat(100)],
      [0, '"x"\r\n', '"y"\r\n'],
      [0, '"x"\r\n', `"${'y'.repeat(996)}"\r\n`],
      [1, 'OK ', 'y'.repeat(100)],
    ],
    consent: /\r\nOK(?: [^\r\n]*)?\r\n$/i,
    padding: '"X"\r\n',
  },
  irc: {
    server: [':irc.example.com 670 * :STARTTLS successful, proceed with TLS handshake\r\n'],
    client: ['CAP LS\r\nSTARTTLS\r\n'],
    variants: [
      [
        'NOTICE AUTH :*** Looking up your hostname\r\n:irc.example.com 020 * :Please wait\r\nPING :evil\r\n:irc NOTICE * :670\r\n:irc 421 * CAP :STARTTLS\r\n:irc 671 * :evil\r\n:irc NOTICE * STARTTLS :evil\r\n:irc CAP * LS * :sasl\r\n:irc CAP * LS :sasl tls\r\n:irc 670 x\r\n',
      ],
      ['@time=2026 :irc 670 * :\xff\r\n'],
    ],
    refusals: [
      [
        0,
        ':irc.example.com 691 * :evil\r\n',
        /^the IRC server refuses TLS \(it answered STARTTLS with 691: it cannot begin TLS\)$/,
      ],
      [0, ':irc.example.com 421 * STARTTLS :evil\r\n', /it does not know the command/],
      [0, ':irc.example.com 451 * :evil\r\n', /it demands a registration first/],
      [0, ':irc.example.com CAP * LS :multi-prefix xtls evil\r\n', /offers no TLS \(its capabilities lack tls\)/],
      [0, ':irc.example.com CAP * LS :\r\n', /lack tls/],
      [0, 'ERROR :evil\r\n', /turns the client away \(it said ERROR\)/],
      [0, ':irc.example.com 465 * :evil\r\n', /it said 465/],
    ],
    unexpected: [
      [0, 'x'],
      [0, '2'],
      [0, '6'],
      [0, ': '],
      [0, '@ '],
      [0, 'NOTICED'],
      [0, ':irc\r\n'],
      [0, ':irc 67\r\n'],
      [0, ':irc 6700\r\n'],
      [0, ':irc 670 x\n'],
      [0, ':irc 670 x\0'],
    ],
    endless: [
      [0, ':irc ', 'y'.repeat(100)],
      [0, ':irc NOTICE * :', 'y'.repeat(100)],
      [0, 'PING x\r\n', 'PING y\r\n'],
      [0, 'PING x\r\n', `PING ${'y'.repeat(993)}\r\n`],
    ],
    consent: /(?:^|\r\n)(?:@[^ \r\n]+ +)?:[^ \r\n]+ +670(?: [^\r\n]*)?\r\n$/,
    padding: 'PING x\r\n',
  },
  telnet: {
    server: [DO_TLS, FOLLOWS],
    client: [telnet(IAC, WILL, 46), FOLLOWS],
    variants: [[OTHERS + DO_TLS, OTHERS + FOLLOWS], [DO_TLS + OTHERS, DO_TLS + FOLLOWS], [DO_TLS + FOLLOWS]],
    refusals: [
      [0, telnet(IAC, DONT, 46), /^the Telnet server offers no TLS \(it declined the option START_TLS\)$/],
      [0, telnet(IAC, WONT, 46), /declined/],
      [1, telnet(IAC, DONT, 46), /declined/],
    ],
    unexpected: [
      [0, 'l'],
      [0, telnet(IAC, IAC)],
      [0, telnet(IAC, SE)],
      [0, telnet(IAC, WILL, 46)],
      [0, FOLLOWS],
      [0, telnet(IAC, SB, 24, IAC, 1)],
      [1, 'l'],
      [1, telnet(IAC, SB, 46, 2, IAC, SE)],
      [1, telnet(IAC, SB, 46, IAC, SE)],
      [1, telnet(IAC, SB, 46, 1, 1, IAC, SE)],
    ],
    endless: [
      [0, telnet(IAC, NOP), telnet(IAC, NOP)],
      [0, telnet(IAC, SB, 24), 'y'.repeat(100)],
      [1, telnet(IAC, SB, 46), telnet(IAC, IAC)],
    ],
    consent: new RegExp(`${FOLLOWS}$`),
    padding: OTHERS,
  },
  xmpp: xmpp('jabber:client'),
  'xmpp-server': xmpp('jabber:server'),
};

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex').toString('latin1');

export const binaryTranscripts: Readonly<Record<BinaryProtocol, Pick<Transcript, 'server' | 'client' | 'refusals'>>> = {
  ldap: {
    server: [bytes('300c 020101 7807 0a0100 0400 0400')],
    client: [`${bytes('301d 020101 7718 8016')}1.3.6.1.4.1.1466.20037`],
    refusals: [
      [0, bytes('300c 020101 7807 0a0102 0400 0400'), /^the LDAP server refuses TLS .*does not know StartTLS/],
    ],
  },
  mssql: {
    server: [bytes('0401001a00000100 00000b0006 0100110001 ff 100000000000 01')],
    client: [
      bytes(
        '1201002f00000100 00001a0006 0100200001 0200210001 0300220004 0400260001 ff 090000000000 01 00 00000000 00',
      ),
    ],
    refusals: [
      [
        0,
        bytes('0401001a00000100 00000b0006 0100110001 ff 100000000000 02'),
        /^the SQL Server refuses TLS .*ENCRYPTION 2/,
      ],
    ],
  },
  vnc: {
    server: ['RFB 003.008\n', bytes('02 02 13'), bytes('00 02'), bytes('00 02 00000102 00000104'), bytes('01')],
    client: ['RFB 003.008\n', bytes('13'), bytes('00 02'), bytes('00000104')],
    refusals: [
      [1, bytes('01 02'), /^the VNC server offers no TLS .*VeNCrypt/],
      [4, bytes('00'), /^the VNC server refuses TLS /],
    ],
  },
  rdp: {
    server: [bytes('03000013 0ed00000123400 02000800 02000000')],
    client: [bytes('03000013 0ee00000000000 01000800 0b000000')],
    refusals: [[0, bytes('03000013 0ed00000123400 03000800 03000000'), /^the RDP server refuses TLS .*no certificate/]],
  },
};
