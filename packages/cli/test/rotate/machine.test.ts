// The attack: a rotation that is led by anybody, in any order, with servers that present anything, killed at any point, with a clock and a
// pins file that somebody else moves. It must never write a pins file that refuses what a server presents.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FilePins, finish, isUnderWay, type Presented, type Rotation } from '@certpin/pins-file';
import fc from 'fast-check';
import { takeBack, takeNextStep } from '../../src/rotate/move.ts';
import type { Brought, Said, World } from '../../src/rotate/world.ts';

const pinOf = { old: 'AA'.repeat(32), next: 'BB'.repeat(32), backup: 'CC'.repeat(32), other: 'DD'.repeat(32) };
type Name = keyof typeof pinOf;

/** What stands at an address: a certificate; and whether it answers. */
interface Server {
  readonly presents: Name;
  readonly answers: boolean;
}

class Killed extends Error {}

/** A world in memory, in which a command can be killed before and after each effect. */
class Model {
  file: FilePins = { pins: [pinOf.old], issuerPins: [], revoked: [] };
  place: readonly string[] = [pinOf.old];
  servers: Server[] = [
    { presents: 'old', answers: true },
    { presents: 'old', answers: true },
  ];
  time = Date.parse('2027-01-01T00:00:00.000Z');
  saved: Rotation;
  /** After how many effects the command is killed. */
  life = Number.POSITIVE_INFINITY;
  placeFails = false;
  whileAsked: () => void = () => undefined;
  /** What must never be. */
  readonly wrong: string[] = [];

  constructor(leaked: boolean) {
    const started: Rotation = {
      ...{ target: 'db.example.com:5432', key: 'db.example.com 5432', protocol: 'postgres', settleSeconds: 3600 },
      next: { pin: pinOf.next, source: 'certificate', file: 'next.crt' },
      ...{ wasPinned: false, old: [pinOf.old], leaked, file: this.file, done: [] },
      startedAt: new Date(this.time).toISOString(),
    };
    this.saved = finish(
      started,
      { step: 'prepared', evidence: 'shown', because: 'read' },
      this.file,
      new Date(this.time),
    );
  }

  readonly world: World = {
    now: () => new Date(this.time),
    readFile: () => this.file,
    writeFile: async (before, after) => {
      this.#live();
      if (!same(this.file, before) && !same(this.file, after)) throw new Error('changed meanwhile');
      this.#judge(after);
      this.file = after;
      this.#live();
    },
    present: async (after) => this.servers.map((server, index) => present(server, index, after)),
    hasPlaces: () => true,
    deliver: async (): Promise<Brought> => {
      this.#live();
      const [problems, hints]: [string[], string[]] = [[], []];
      if (this.placeFails) return { places: [{ state: 'open', reason: 'no' }], problems, hints, isUnasked: false };
      this.place = this.file.pins;
      this.#live();
      return { places: [{ state: 'shown', reason: 'read back' }], problems, hints, isUnasked: false };
    },
    look: async () => {
      const state = this.place.includes(pinOf.next) ? 'shown' : 'open';
      return { places: [{ state, reason: 'read again' }], problems: [], hints: [], isUnasked: false };
    },
    logIn: async () => ({ outcome: 'none', reason: '' }),
    save: async (rotation) => {
      this.#live();
      this.saved = JSON.parse(JSON.stringify(rotation));
      this.#live();
    },
    agree: async () => {
      this.whileAsked();
      return 'yes';
    },
  };

  #live(): void {
    if (this.life-- <= 0) throw new Killed();
  }

  /** The property: nobody who could log in before cannot afterwards. An address that does not answer presents something too. */
  #judge(after: FilePins): void {
    for (const { presents } of this.servers) {
      const pin = pinOf[presents];
      if (after.revoked.includes(pin) || !this.file.pins.includes(pin)) continue;
      if (!after.pins.includes(pin)) this.wrong.push(`the pins file refuses ${presents}`);
    }
    if (after.pins.length === 0) this.wrong.push('no pin is left');
  }

  async command(wanted: 'next' | 'abort', said: Said): Promise<void> {
    const before = this.saved.done.length;
    const isOpen = isUnderWay(this.saved);
    try {
      await (wanted === 'next' ? takeNextStep : takeBack)(this.saved, this.world, said);
    } catch (error) {
      if (!(error instanceof Killed)) assert.equal((error as Error).message, 'changed meanwhile');
    }
    const { done, begun, ended } = this.saved;
    if (ended?.how === 'aborted' && isOpen && this.place.includes(pinOf.next)) {
      this.wrong.push('the next pin is still delivered after the abort');
    }
    const isNew = done.length > before && begun === undefined && ended === undefined;
    // Whoever is told to wait no longer, or to swap, has the next pin everywhere.
    if (isNew && ['delivered', 'settled', 'swapped'].includes(done.at(-1)?.step ?? '')) {
      if (!this.place.includes(pinOf.next)) this.wrong.push('the next pin is not delivered');
    }
  }
}

function same(one: FilePins, other: FilePins): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function present({ presents, answers }: Server, index: number, { pins, revoked }: FilePins): Presented {
  const fits = pins.includes(pinOf[presents]) && !revoked.includes(pinOf[presents]);
  const address = `192.0.2.${index + 1}`;
  return { address, reached: answers, next: answers && presents === 'next', fits: answers && fits, reason: presents };
}

const server = fc.record({
  presents: fc.constantFrom<Name>('old', 'next', 'backup', 'other'),
  answers: fc.constantFrom(true, true, true, true, false),
});
const said = fc.record({ byHand: fc.boolean(), acceptChange: fc.boolean(), noCanary: fc.boolean() });
/** What other people and the world do. */
type Change =
  | { readonly what: 'server'; readonly index: number; readonly server: Server }
  | { readonly what: 'servers'; readonly server: Server }
  | { readonly what: 'time'; readonly seconds: number }
  | { readonly what: 'place'; readonly fails: boolean }
  /** Another tool brings the old pins back. */
  | { readonly what: 'restored' }
  /** Somebody runs certpin auth0 push. */
  | { readonly what: 'pushed' }
  | { readonly what: 'file'; readonly hand: keyof typeof hands };

/** What a person does to the pins file with an editor. */
const hands = {
  'add backup': (file: FilePins) => ({ ...file, pins: [...new Set([...file.pins, pinOf.backup])] }),
  'remove next': (file: FilePins) => ({ ...file, pins: file.pins.filter((pin) => pin !== pinOf.next) }),
  'remove old': (file: FilePins) => ({ ...file, pins: file.pins.filter((pin) => pin !== pinOf.old) }),
  'revoke old': (file: FilePins) => ({
    ...hands['remove old'](file),
    revoked: [...new Set([...file.revoked, pinOf.old])],
  }),
};

function apply(model: Model, change: Change): void {
  if (change.what === 'server') model.servers[change.index] = change.server;
  if (change.what === 'servers') model.servers = [change.server, change.server];
  if (change.what === 'time') model.time += change.seconds * 1000;
  if (change.what === 'place') model.placeFails = change.fails;
  if (change.what === 'restored') model.place = [pinOf.old];
  if (change.what === 'pushed') model.place = model.file.pins;
  if (change.what !== 'file') return;
  const edited: FilePins = hands[change.hand](model.file);
  if (edited.pins.length > 0) model.file = edited; // the reader refuses an empty list
}

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ what: fc.constant('server' as const), index: fc.nat(1), server }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('servers' as const), server }) },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constant('time' as const), seconds: fc.integer({ min: -3600, max: 14_400 }) }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('place' as const), fails: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constantFrom({ what: 'restored' as const }, { what: 'pushed' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('file' as const),
      hand: fc.constantFrom(...(Object.keys(hands) as (keyof typeof hands)[])),
    }),
  },
);

/** A command, or something that happens between commands. */
type Act =
  | Change
  | {
      readonly what: 'command';
      readonly wanted: 'next' | 'abort';
      readonly said: Said;
      /** After how many effects it is killed. */
      readonly life: number | undefined;
      /** What happens while a person thinks about a question. */
      readonly meanwhile: Change | undefined;
    };

async function perform(model: Model, act: Act): Promise<void> {
  if (act.what !== 'command') return apply(model, act);
  const { wanted, said, life = Number.POSITIVE_INFINITY, meanwhile } = act;
  model.life = life;
  model.whileAsked = () => meanwhile && apply(model, meanwhile);
  await model.command(wanted, said);
  model.life = Number.POSITIVE_INFINITY;
  model.whileAsked = () => undefined;
}

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 2, arbitrary: change },
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('command' as const),
      wanted: fc.constantFrom<'next' | 'abort'>('next', 'next', 'next', 'next', 'next', 'next', 'next', 'abort'),
      said,
      life: fc.option(fc.nat(8), { nil: undefined, freq: 2 }),
      meanwhile: fc.option(change, { nil: undefined }),
    }),
  },
);

const runs = 4_000;

test('no sequence of commands, server states, changes by hand and kills leads to a pins file that refuses what a server presents', async () => {
  const ends = { retired: 0, aborted: 0, open: 0 };
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(act, { maxLength: 40, size: 'max' }), async (leaked, acts) => {
      const model = new Model(leaked);
      for (const one of acts) await perform(model, one);
      assert.deepEqual(model.wrong, []);
      ends[model.saved.ended?.how ?? 'open']++;
    }),
    { numRuns: runs, seed: 42 },
  );
  // A property that nothing reaches shows nothing.
  assert.ok(ends.retired > runs / 100 && ends.aborted > runs / 100, JSON.stringify(ends));
});

const meant: Said = { byHand: false, acceptChange: true, noCanary: false };

test('whatever has happened, an operator who puts things right gets to an end: nothing is stuck', async () => {
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(act, { maxLength: 25, size: 'max' }), async (leaked, acts) => {
      const model = new Model(leaked);
      for (const one of acts) await perform(model, one);
      model.placeFails = false;
      model.time += 90 * 86_400_000; // the clock is right again
      const isBack = model.saved.begun?.step === 'abort';
      const good = isBack ? 'old' : 'next';
      model.servers = [0, 1].map(() => ({ presents: good, answers: true }));
      // What a hand has taken out of the pins file, a hand puts back.
      const { pins, issuerPins, revoked } = model.file;
      if (!pins.includes(pinOf[good]))
        model.file = {
          pins: [...pins, pinOf[good]],
          issuerPins,
          revoked: revoked.filter((pin) => pin !== pinOf[good]),
        };
      for (let tries = 0; tries < 12 && isUnderWay(model.saved); tries++) {
        model.time += 7_200_000;
        await model.command(isBack ? 'abort' : 'next', meant);
      }
      assert.equal(model.saved.ended?.how, isBack ? 'aborted' : (model.saved.ended?.how ?? 'retired'));
      assert.equal(isUnderWay(model.saved), false);
      assert.deepEqual(model.wrong, []);
    }),
    { numRuns: 3_000, seed: 43 },
  );
});
