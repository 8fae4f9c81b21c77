import {
  changedMeanwhile,
  changePinsFile,
  changeText,
  type Entry,
  type FilePins,
  loadPinsFile,
  type Rotation,
  type RotationLock,
} from '@certpin/pins-file';
import { createPolicy, formatPin } from 'certpin';
import type { Io } from '../io.ts';
import type { Courier } from './courier.ts';
import { askEveryAddress, judgePresented } from './present.ts';
import type { Question, World } from './world.ts';

interface Around {
  readonly file: string;
  readonly rotation: Rotation;
  readonly lock: RotationLock;
  readonly courier: Courier;
  readonly agree: (question: Question) => Promise<'yes' | 'no' | 'unasked'>;
  readonly timeoutMs: number | undefined;
  /** Why a pin was revoked, for people. */
  readonly reason: string | undefined;
  readonly io: Io;
}

/** The real pins file, servers and places. */
export function createWorld({ file, rotation, lock, courier, agree, timeoutMs, reason, io }: Around): World {
  const { key, next, old } = rotation;
  const find = (): Entry | undefined => loadPinsFile(file).entries.find((entry) => entry.key === key);
  return {
    now: () => new Date(),
    readFile: () => {
      const entry = find();
      return entry && pinsOfFile(entry);
    },
    writeFile: async (before, after) => {
      await writePins(file, key, { before, after, reason });
      const entry = find();
      if (entry === undefined || !isSame(pinsOfFile(entry), after)) throw changedMeanwhile(file);
    },
    present: async (after) => {
      const entry = find();
      if (entry === undefined) throw changedMeanwhile(file);
      return judgePresented(entry, await askEveryAddress(entry, timeoutMs, io), {
        next: next.pin,
        old,
        after,
        now: new Date(),
      });
    },
    hasPlaces: () => (find()?.deliver.length ?? 0) > 0,
    deliver: courier.deliver,
    look: courier.look,
    logIn: courier.logIn,
    save: lock.save,
    agree,
  };
}

/** What the pins file says of a target, with each pin once and in one spelling. */
export function pinsOfFile({ policy, revoked }: Entry): FilePins {
  const spelled = (pins: typeof policy.pins): string[] => [...new Set(pins.map((pin) => formatPin(pin)))];
  return {
    pins: spelled(policy.pins),
    issuerPins: spelled(policy.issuerPins),
    revoked: spelled(revoked.map(({ pin }) => pin)),
  };
}

interface Written {
  readonly before: FilePins;
  readonly after: FilePins;
  readonly reason: string | undefined;
}

/** Writes only the difference: comments, order and the spelling of other pins stay. @throws PinsFileError */
async function writePins(file: string, key: string, { before, after, reason }: Written): Promise<void> {
  const without = (list: readonly string[], other: readonly string[]): string[] =>
    list.filter((pin) => !other.includes(pin));
  await changePinsFile(file, (document) => {
    const entry = document?.entries.find((one) => one.key === key);
    if (document === undefined || entry === undefined) throw changedMeanwhile(file);
    const now = pinsOfFile(entry);
    if (isSame(now, after)) return undefined; // It was killed before it could report this.
    if (!isSame(now, before)) throw changedMeanwhile(file);
    const gone = without(before.pins, after.pins);
    const drop = (text: string): boolean =>
      createPolicy({ pins: text }).pins.some((pin) => gone.includes(formatPin(pin)));
    const add = without(after.pins, before.pins);
    const since = new Date().toISOString().slice(0, 10);
    const revoke = without(after.revoked, before.revoked).map((pin) => ({ pin, since, reason }));
    const pins = add.length === 0 ? {} : { pins: { add } };
    return changeText(document.text, {
      entries: [{ index: entry.index, ...pins, ...(gone.length === 0 ? {} : { drop }), revoke }],
    });
  });
}

function isSame(one: FilePins, other: FilePins): boolean {
  const lists = (file: FilePins): string =>
    JSON.stringify([file.pins, file.issuerPins, file.revoked].map((list) => [...list].sort()));
  return lists(one) === lists(other);
}
