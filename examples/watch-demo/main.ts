/**
 * `certpin watch` at work, in one run: `npm run demo:watch`. Five servers, a rotation as planned, another certificate, one that ends, and
 * a server that falls silent. It ends by itself; `npm run demo:watch -- --stay` waits for Ctrl-C, so that the pages can be read.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificateHex, mint, publicKeyPin, startTlsServer } from '@certpin/testkit';
import { chapter, good, line, quote } from '../say.ts';
import { startChat } from './chat.ts';
import { startWatcher } from './watcher.ts';

const stays = process.argv.includes('--stay');
const SECOND = 1 / (24 * 60 * 60);

const certificate = await mint({ validToDays: 90 });
const next = await mint({ validToDays: 180 });
const stranger = await mint({ validToDays: 90 });
const endsSoon = await mint({ validToDays: 10 });
const ended = await mint({ keys: endsSoon.keys, validFromDays: -90, validToDays: -SECOND });

const start = async (id: string, presented = certificate) => ({
  id,
  ...(await startTlsServer({ certificate: presented })),
});
const shop = await start('shop');
const directory = await start('directory');
const mail = await start('mail', endsSoon);
const cache = await start('cache');
const wiki = await start('wiki');
const servers = [shop, directory, mail, cache, wiki];
const address = ({ host, port }: { readonly host: string; readonly port: number }): string => `${host}:${port}`;

const folder = mkdtempSync(join(tmpdir(), 'certpin-watch-demo-'));
const write = (name: string, value: object): void => writeFileSync(join(folder, name), JSON.stringify(value, null, 2));
const chat = await startChat();
const pins = [certificateHex(certificate), certificateHex(next)];
const keyOfMail = await publicKeyPin(endsSoon);
write('certpin.json', {
  version: 2,
  targets: servers.map((server) => ({
    id: server.id,
    target: address(server),
    pins: server === mail ? [keyOfMail] : pins,
  })),
});
write('certpin.watch.json', {
  // So that nobody has to wait: the usual values are an hour and a minute.
  ...{ intervalSeconds: 10, recheckSeconds: 1 },
  listen: { address: '127.0.0.1:0' },
  receivers: [{ name: 'chat', kind: 'slack', url: { env: 'DEMO_CHAT' } }],
});

const watcher = startWatcher(folder, { DEMO_CHAT: chat.url });

async function tell(server: { readonly host: string; readonly port: number }, state: string): Promise<void> {
  const { from, reason } = await watcher.event('changed', { target: address(server), to: state });
  good(`${from ?? 'new'} → ${state}: ${reason}`);
}

async function story(): Promise<void> {
  chapter('Five servers, and a watcher of them');
  for (const server of servers) line(`${server.id.padEnd(10)} ${address(server)}`);
  line(`the pins file and the configuration: ${folder}`);
  const { url } = await watcher.event('listening');
  good(`the pages: ${url}`);
  await watcher.allAsked(String(url));
  good('every server was asked, and every pin holds');

  chapter('A rotation as planned');
  line('the next pin of shop stands in the pins file already; now shop presents the next certificate');
  shop.present(next);
  await tell(shop, 'rotated');

  chapter('Another certificate');
  line('somebody replaces the certificate of directory, and has told nobody; or it is an attacker');
  directory.present(stranger);
  await tell(directory, 'drift');

  chapter('A server falls silent');
  line('cache is shut down');
  await cache.close();
  await tell(cache, 'unreachable');

  chapter('A certificate ends');
  line('that of mail has ten days left. You need not wait: mail presents one of the same key that ended a second ago');
  mail.present(ended);
  await tell(mail, 'expired');

  chapter('What people are told');
  line('what happens within 10 seconds comes as one message; this is what a chat shows:');
  const wanted = [directory, cache, mail].map(address);
  quote(await chat.until((text) => wanted.every((label) => text.includes(label))));

  chapter('certpin watch status');
  quote(await watcher.status());

  if (!stays) return;
  chapter(`The pages stay until Ctrl-C: ${url}`);
  await watcher.ended;
}

const interrupted = once(process, 'SIGINT');
try {
  await Promise.race([story(), interrupted]);
} finally {
  const code = await watcher.stop();
  await Promise.all([...servers.map(({ close }) => close()), chat.close()]);
  rmSync(folder, { recursive: true });
  chapter(`The watcher has ended with ${code}, and the servers are shut down`);
}
