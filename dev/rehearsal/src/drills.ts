import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificateHex, mint } from '@certpin/testkit';
import { patchConnection } from './act.ts';
import { type Drill, type Drilled, expectPins } from './drill.ts';
import { expectStep } from './play.ts';
import { commandsFor } from './rotation.ts';
import { twoAddresses } from './two-addresses.ts';

const wrongKey: Drill = {
  name: 'wrong-key',
  title: 'wrong key in the next certificate',
  about: '`rotate start` is given the next certificate with a key that does not belong to it.',
  run: async (drilled) => {
    const { act, database, leader, next, old, expectRefusal } = drilled;
    expectRefusal(await leader.start(act.write(database.id, next, await mint())), /key/);
    expectPins(drilled, old);
    return 'refused at the start';
  },
};

const keptFile: Drill = {
  name: 'kept-file',
  title: 'a reload that kept the old file',
  about:
    'the file of the next certificate is cut off in the middle. PostgreSQL says that it has reloaded, and keeps the old certificate; MariaDB reports an error. Then the file is put right.',
  run: async (drilled) => {
    const { act, database, leader, next, old, hold, leadTo, expectRefusal } = drilled;
    await leadTo('settled');
    const swap = await leader.next();
    expectStep(swap, 'swapped');
    const commands = commandsFor(swap, database.name);
    // The file that is brought is cut off in the middle.
    const { crt } = act.write(database.id, next);
    writeFileSync(crt, next.certPem.slice(0, 200));
    // PostgreSQL reports a successful reload. MariaDB reports what is wrong.
    const isTold = await database.operate(commands, act.folder).then(
      () => false,
      () => true,
    );
    await hold();
    expectRefusal(await leader.next(), /not every address presents the certificate/);
    expectPins(drilled, old, next);
    act.write(database.id, next);
    await database.operate(commands, act.folder);
    await leadTo('retired');
    expectPins(drilled, next);
    return `the server ${isTold ? 'says so' : 'says nothing'}; "verified" is refused`;
  },
};

const halfWay: Drill = {
  name: 'half-way',
  title: 'a push refused half-way',
  about: 'the pins go to two connections of the tenant, and the tenant refuses the write to the second one.',
  options: async () => ({ alsoIn: ['staff'] }),
  run: async (drilled) => {
    const { act, database, leader, next, old, hold, leadTo, expect, expectRefusal, pinsInTenant } = drilled;
    await leadTo('added');
    let refused = 0;
    const end = act.tenant.onRequest(async ({ method, body }, proceed) => {
      // The second place of the two.
      if (method !== 'PATCH' || ++refused === 1 || body === undefined) return proceed();
      return { status: 403, body: { statusCode: 403, error: 'Forbidden', message: 'not today' } };
    });
    expectRefusal(await leader.next(), /the pins are not at every place/);
    end();
    expect(refused === 2, `${database.name}: ${refused} writes, and not two`);
    const states = [pinsInTenant(), pinsInTenant(`${database.id}-staff`)].map((pins) => pins.split(/[\s,]+/).length);
    expect(states.join() === '2,1', `${database.name}: not half: ${states}`);
    await hold();
    await leadTo('retired');
    expectPins(drilled, next);
    const staff = pinsInTenant(`${database.id}-staff`);
    expect(
      staff === certificateHex(next),
      `${database.name}: the other connection has ${staff}, and old is ${certificateHex(old)}`,
    );
    return 'refused; the same step again brings the rest';
  },
};

const abortAnywhere: Drill = {
  name: 'abort',
  title: 'abort at every step',
  about:
    'six rotations, each taken back after another step. Where the server presents the next certificate already, the old one comes back first, by the commands that are printed.',
  run: async (drilled) => {
    const { act, database, leader, old, hold, leadTo, expect, expectRefusal } = drilled;
    for (const step of ['prepared', 'added', 'delivered', 'settled', 'swapped', 'verified'] as const) {
      await leadTo(step);
      await hold();
      let aborted = await leader.abort();
      if (step === 'swapped' || step === 'verified') {
        expectRefusal(aborted, /bring the old certificate back first/);
        await hold();
        await database.operate(commandsFor(aborted, database.name), act.folder);
        aborted = await leader.abort();
      }
      const { code, ended, reason, details = [] } = aborted;
      const why = [reason, ...details].join('; ');
      expect(code === 0 && ended === 'aborted', `${database.name}: not taken back at "${step}": ${why}`);
      await hold();
      expectPins(drilled, old);
    }
    return 'taken back at each of 6 steps; with the next certificate at the server, refused first';
  },
};

const leaked: Drill = {
  name: 'leaked',
  title: 'a leaked key',
  about:
    '`--leaked`: the old pin goes out first, and no time is waited. From the delivery on, logins fail until the server presents the next certificate; in containers with the old pin, until they end.',
  allowed: 'some',
  run: async (drilled, { scale }) => {
    const { act, database, leader, next, old, hold, leadTo, pinsInTenant, expect } = drilled;
    expectStep(await leader.start(act.write(database.id, next), '--leaked', certificateHex(old)), 'prepared');
    await leadTo('delivered');
    await hold(scale.drillLivesMs); // The time that the operator needs for the swap.
    await leadTo('swapped');
    const swappedAt = Date.now();
    await leadTo('verified');
    await hold(scale.drillLivesMs);
    expect(pinsInTenant() === certificateHex(next), `${database.name}: in the tenant is ${pinsInTenant()}`);
    return expectBack(drilled, swappedAt, scale.drillLivesMs, 'the swap');
  },
};

const MAIN_TF = 'resource "auth0_connection" "customers" {\n  name = "customers"\n}\n';

const terraformBefore: Drill = {
  name: 'terraform-before',
  title: 'Terraform restores the old pins, before the swap',
  about:
    'if files of Terraform stand beside the pins file, certpin writes nothing that Terraform would undo. If they stand elsewhere, certpin does not know of them: Terraform writes the old pins back while certpin waits.',
  run: async (drilled, { scale }) => {
    const { act, leader, next, old, hold, leadTo, expect, expectRefusal, database } = drilled;
    await leadTo('added');
    // If certpin knows these files, it writes nothing that Terraform would undo.
    const file = join(act.folder, 'main.tf');
    writeFileSync(file, MAIN_TF);
    expectRefusal(await leader.next(), /Terraform/);
    rmSync(file);
    await leadTo('settled');
    await patchConnection(act, drilled, [old]);
    await hold(scale.drillLivesMs);
    expectRefusal(await leader.next(), /somebody else has written a place/);
    const { next: coming } = await leader.status();
    expect(coming === 'delivered', `${database.name}: what comes is "${coming}"`);
    await leadTo('retired');
    expectPins(drilled, next);
    return '"swapped" is refused; the pins are delivered again, and waited for again';
  },
};

const terraformAfter: Drill = {
  name: 'terraform-after',
  title: 'Terraform restores the old pins, after the swap',
  about:
    'it writes the old pins back after the server was swapped. `certpin auth0 diff` says that somebody has written there; the step *retired* brings the pins again.',
  allowed: 'some',
  run: async (drilled, { scale }) => {
    const { act, leader, next, old, hold, leadTo, expect, database } = drilled;
    await leadTo('verified');
    await patchConnection(act, drilled, [old]);
    await hold(scale.drillLivesMs);
    const { code, stdout, stderr } = await leader.auth0('diff');
    // Nobody can read a configuration. It is only known that somebody has written it since the last push: exit code 2.
    expect(code === 2, `${database.name}: diff says (exit ${code}): ${stdout}${stderr}`);
    await leadTo('retired');
    const pushedAt = Date.now();
    await hold(scale.drillLivesMs);
    expectPins(drilled, next);
    return expectBack(drilled, pushedAt, scale.drillLivesMs, 'the next push');
  },
};

/** The harm must end: no login fails after the containers with the wrong pins have ended. */
function expectBack({ tally, database, expect }: Drilled, since: number, livesMs: number, what: string): string {
  const { failures } = tally.count;
  expect(failures > 0, `${database.name}: no login failed, and this drill would show nothing`);
  const afterwards = ((tally.lastFailureAt ?? since) - since) / 1000;
  // A login that began in an old container may take a moment to fail.
  const bound = livesMs / 1000 + 2;
  expect(afterwards <= bound, `${database.name}: logins failed for ${afterwards} s after ${what}, and not ${bound} s`);
  return afterwards > 0
    ? `the last login failed ${afterwards.toFixed(1)} s after ${what}`
    : `no login failed after ${what}`;
}

export const drills: readonly Drill[] = [
  ...[wrongKey, keptFile, twoAddresses, halfWay, abortAnywhere, leaked, terraformBefore, terraformAfter],
];
