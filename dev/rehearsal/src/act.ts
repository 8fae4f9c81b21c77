import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { certificateHex, type Minted, mint } from '@certpin/testkit';
import { type ContainerOptions, type FakeTenant, type JsonObject, startFakeTenant } from '@certpin/testkit/tenant';
import { nodeOf } from '../../../packages/auth0/test/nodes.ts';
import { runInContainers } from '../../../packages/auth0/test/run/tenant-container.ts';
import type { Database } from './database.ts';
import { Leader, type Surroundings } from './leader.ts';
import { Load } from './load.ts';
import type { Scale } from './scale.ts';
import { type Count, Course, Tally } from './tally.ts';

const root = fileURLToPath(new URL('../../../packages/auth0', import.meta.url));

/** What a rehearsal needs. */
export interface Stage {
  readonly databases: readonly Database[];
  readonly scale: Scale;
  readonly onProgress: (text: string) => void;
}

export interface ActOptions {
  readonly containers: ContainerOptions;
  /** Where containers find the database: a name with several addresses, tried one after the other. Default: as the settings say. */
  readonly hosts?: readonly string[];
  /** What the pins file calls the server. Default: the address of the database. */
  readonly targetOf?: (database: Database) => string;
  /** How certpin looks up names. Default: as the system does. */
  readonly lookup?: Surroundings['lookup'];
  /** More connections of each target, by which nobody logs in. */
  readonly alsoIn?: readonly string[];
  /** Before the first login. */
  readonly onOpen?: (part: Part) => void;
}

/** One database in an act: its certificates, its load, its rotation. */
export interface Part {
  readonly database: Database;
  readonly old: Minted;
  readonly next: Minted;
  readonly load: Load;
  readonly tally: Tally;
  readonly leader: Leader;
  /** The id of its connection. */
  readonly connection: string;
  /** The pins in the configuration of a connection. No client can read them. */
  readonly pinsInTenant: (name?: string) => string;
}

/** A tenant, a pins file and logins that go on, for one part of the rehearsal. */
export interface Act {
  readonly tenant: FakeTenant;
  readonly folder: string;
  readonly parts: readonly Part[];
  readonly course: Course;
  /** Goes on until this many more logins have been answered over each connection. */
  readonly hold: (logins: number, leastMs?: number) => Promise<void>;
  /** Writes a certificate and its key beside the pins file. */
  readonly write: (name: string, certificate: Minted, key?: Minted) => { readonly crt: string; readonly key: string };
  /** Ends it, and counts. */
  readonly close: () => Promise<readonly Count[]>;
}

/** Opens an act: each server presents its old certificate, which is pinned everywhere, and logins have begun. */
export async function openAct(stage: Stage, options: ActOptions): Promise<Act> {
  const { databases, scale } = stage;
  const { containers, hosts = [], targetOf = ({ target }) => target, lookup, alsoIn = [], onOpen } = options;
  const folder = mkdtempSync(join(tmpdir(), 'certpin-rehearsal-'));
  const pinsFile = join(folder, 'certpin.json');
  const course = new Course();
  const tallies = new Map(databases.map(({ id }) => [id, new Tally()]));
  const start = runInContainers({ node: nodeOf(22), cwd: root });
  let started = 0;
  const tenant = await startFakeTenant({
    runContainer: (script, configuration) => {
      const host = hosts[started++ % hosts.length];
      return start(script, host === undefined ? configuration : { ...configuration, DB_HOST: host });
    },
    containers,
    onLogin: (record) => {
      if (record.email.startsWith('canary')) return;
      tallies.get(record.connection)?.add(record);
      course.add(record);
    },
  });
  const placesOf = (id: string): string[] => [id, ...alsoIn.map((suffix) => `${id}-${suffix}`)];
  const parts = await Promise.all(
    databases.map(async (database): Promise<Part> => {
      const [old, next] = [await mint(), await mint()];
      await database.present(old);
      const [connection = ''] = placesOf(database.id).map((name) =>
        tenant.addConnection({ name, options: optionsOf(database, [old]) }),
      );
      const leader = new Leader(database.id, { tenant, folder, pinsFile, lookup });
      const pinsInTenant = (name = database.id): string => {
        const options = tenant.plaintext().connections[name]?.options as ConnectionOptions | undefined;
        if (options === undefined) throw new Error(`the tenant has no connection ${name}`);
        return options.configuration.DB_PINS ?? '';
      };
      const tally = tallies.get(database.id) as Tally;
      return { database, old, next, load: new Load(tenant, database), tally, leader, connection, pinsInTenant };
    }),
  );
  const targets = parts.map(({ database, old }) => ({
    ...{ id: database.id, target: targetOf(database), pins: [certificateHex(old)] },
    deliver: placesOf(database.id).map((connection) => ({
      ...{ kind: 'configuration', tenant: tenant.domain, connection, key: 'DB_PINS' },
    })),
  }));
  writeFileSync(pinsFile, `${JSON.stringify({ version: 2, targets }, undefined, 2)}\n`);
  const values = parts.flatMap(({ database }) => placesOf(database.id).map((name) => [name, database.settings]));
  writeFileSync(join(folder, 'values.json'), JSON.stringify({ connections: Object.fromEntries(values) }));

  for (const part of parts) {
    onOpen?.(part);
    part.load.start(scale.workers);
  }
  const hold = async (logins: number, leastMs = 0): Promise<void> => {
    const goals = parts.map(({ load }) => load.done + logins);
    const until = Date.now() + leastMs;
    const isDone = (): boolean =>
      Date.now() >= until && parts.every(({ load }, index) => load.done >= (goals[index] ?? 0));
    while (!isDone()) {
      await Promise.all(parts.map(({ load }) => load.refresh()));
      const again = Date.now() + scale.refreshMs;
      while (!isDone() && Date.now() < again) await delay(50);
    }
  };
  return {
    ...{ tenant, folder, parts, course, hold },
    write: (name, certificate, key = certificate) => {
      const [crtFile, keyFile] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
      writeFileSync(crtFile, certificate.certPem);
      writeFileSync(keyFile, key.keyPem);
      return { crt: crtFile, key: keyFile };
    },
    close: async () => {
      await Promise.all(parts.map(({ load }) => load.stop()));
      await tenant.close();
      rmSync(folder, { recursive: true, force: true });
      return parts.map(({ database, load, tally: { count } }) => {
        // Two counts of the same logins: one by the clients, the other by the containers.
        const ofContainers = [count.logins, count.failures + count.outlived].join();
        const ofClients = [load.done, load.failures].join();
        if (ofContainers !== ofClients)
          throw new Error(`${database.name}: clients count ${ofClients}, containers ${ofContainers}`);
        return count;
      });
    },
  };
}

type ConnectionOptions = JsonObject & {
  readonly enabledDatabaseCustomization: boolean;
  readonly import_mode: boolean;
  readonly customScripts: { readonly login: string };
  readonly configuration: Readonly<Record<string, string>>;
};

/** The options of a connection with such pins. */
function optionsOf({ script, settings }: Database, pinned: readonly Minted[]): ConnectionOptions {
  return {
    ...{ enabledDatabaseCustomization: true, import_mode: false, customScripts: { login: script } },
    configuration: { ...settings, DB_PINS: pinned.map(certificateHex).join(' ') },
  };
}

/** What another tool does that writes the tenant: it knows the whole configuration, and one pin. */
export async function patchConnection({ tenant }: Act, part: Part, pinned: readonly Minted[]): Promise<void> {
  const answer = await tenant.fetch(`https://${tenant.domain}/api/v2/connections/${part.connection}`, {
    ...{ method: 'PATCH', body: JSON.stringify({ options: optionsOf(part.database, pinned) }) },
    headers: { authorization: `Bearer ${tenant.issueToken()}`, 'content-type': 'application/json' },
  });
  if (!answer.ok) throw new Error(`the tenant answers ${answer.status}: ${await answer.text()}`);
}

/** The pins of a target, as the pins file has them. */
export function pinsInFile({ folder }: Act, { database }: Part): readonly string[] {
  const { targets } = JSON.parse(readFileSync(join(folder, 'certpin.json'), 'utf8')) as {
    targets: { id: string; pins: string[] }[];
  };
  return targets.find(({ id }) => id === database.id)?.pins ?? [];
}
