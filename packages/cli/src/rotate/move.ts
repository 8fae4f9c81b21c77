import {
  begin,
  endAborted,
  type FilePins,
  findObstacle,
  finish,
  judgeAbort,
  judgeAddressesFor,
  judgeNext,
  judgeWait,
  mayAccept,
  nextStepOf,
  pinsAfter,
  type Rotation,
  type RotationStep,
  type StepDone,
  undeliver,
} from '@certpin/pins-file';
import type { Brought, Delivery, Hindrance, Moved, Question, Said, World } from './world.ts';

/** A move in progress: what is known of the rotation, and of the file. */
interface Move {
  readonly rotation: Rotation;
  readonly file: FilePins;
  readonly world: World;
  readonly said: Said;
}

/**
 * Takes exactly one step, or says why not.
 *
 * Each step is recorded before its first effect, and each effect may be repeated. So a rotation that was killed continues with the step in
 * which it was.
 */
export async function takeNextStep(rotation: Rotation, world: World, said: Said): Promise<Moved> {
  const move = prepare(rotation, 'next', world, said);
  if (!('world' in move)) return move;
  const step = nextStepOf(move.rotation);
  if (step === undefined || step === 'prepared') return { rotation, hindrance: { why: 'ended', how: 'retired' } };
  return takers[step](move);
}

/** Takes the rotation back. */
export async function takeBack(rotation: Rotation, world: World, said: Said): Promise<Moved> {
  const move = prepare(rotation, 'abort', world, said);
  if (!('world' in move)) return move;
  const { done, begun } = move.rotation;
  const blocked = judgeAbort(move.rotation, move.file);
  if (blocked !== undefined) return { rotation, hindrance: blocked };
  if (done.length === 1 && begun === undefined) return ended(move); // Nothing was written anywhere.
  const asked = await askAddresses(move, 'abort');
  if (asked.hindrance !== undefined) return asked;
  const isDelivered = done.some(({ step }) => step === 'delivered');
  // After the addresses are known: somebody who brings back only the old pins by hand would lock out a server that presents the next
  // certificate.
  const refused =
    (isDelivered ? findNoPlace(move, 'abort') : undefined) ??
    (await agree(move, 'abort')) ??
    (await askAddresses(move, 'abort')).hindrance;
  if (refused !== undefined) return { ...asked, hindrance: refused };
  const wasDelivered = isDelivered || begun !== undefined || (await isAnywhere(move));
  const written = await writeFile(move, 'abort');
  const brought = wasDelivered ? await world.deliver() : NOTHING;
  const undelivered = findUndelivered(brought, said);
  if (undelivered !== undefined) return { rotation: written.rotation, hindrance: undelivered };
  return { ...(await ended(written)), deliveries: brought.places };
}

function prepare(rotation: Rotation, wanted: 'next' | 'abort', world: World, said: Said): Move | Moved {
  const file = world.readFile();
  const isAccepted = said.acceptChange && file !== undefined && mayAccept(rotation, wanted, file);
  const taken = isAccepted ? { ...rotation, file } : rotation;
  const hindrance = findObstacle(taken, wanted, file, world.now());
  if (hindrance !== undefined || file === undefined) return { rotation, hindrance: hindrance ?? { why: 'no-target' } };
  return { rotation: taken, file, world, said };
}

async function ended({ rotation, world, file }: Move): Promise<Moved> {
  const last = endAborted(rotation, file, world.now());
  await world.save(last);
  return { rotation: last };
}

const takers: Record<Exclude<RotationStep, 'prepared'>, (move: Move) => Promise<Moved>> = {
  added: async (move) => {
    const refused = await agree(move, 'added');
    if (refused !== undefined) return { rotation: move.rotation, hindrance: refused };
    const written = await writeFile(move, 'added');
    const because = move.rotation.leaked
      ? 'the next pin stands in the pins file; the old one is revoked there'
      : 'the next pin stands in the pins file, beside the old one';
    return done(written, { step: 'added', evidence: 'shown', because });
  },
  delivered: async (move) => {
    const refused = findNoPlace(move, 'delivered') ?? (await agree(move, 'delivered'));
    if (refused !== undefined) return { rotation: move.rotation, hindrance: refused };
    const written = await writeFile(move, 'delivered');
    return deliver(written, 'delivered');
  },
  settled: async (move) => {
    const { rotation, world, said } = move;
    const waiting = judgeWait(rotation, world.now());
    if (waiting !== undefined) return { rotation, hindrance: waiting };
    const lost = await findLost(move);
    if (lost !== undefined) return lost;
    const canary = await world.logIn();
    const isEnough = canary.outcome === 'logged-in' || canary.outcome === 'none';
    if (!isEnough && !(canary.outcome === 'unknown' && said.noCanary)) {
      return { rotation, hindrance: { why: 'canary', canary } };
    }
    const login = canary.outcome === 'logged-in' ? 'the canary logged in' : 'no login was tried';
    const because = `${words(rotation.settleSeconds)} have passed; ${login}. That every old container has ended is not known`;
    return done(move, { step: 'settled', evidence: 'waited', because });
  },
  swapped: async (move) => {
    const { rotation, world } = move;
    const blocked = judgeNext(rotation, world.now());
    if (blocked !== undefined) return { rotation, hindrance: blocked };
    const lost = await findLost(move);
    if (lost !== undefined) return lost;
    return done(move, {
      step: 'swapped',
      evidence: 'told',
      because: 'the commands were printed; certpin touches no server',
    });
  },
  verified: async (move) => {
    const asked = await askAddresses(move, 'verified');
    if (asked.hindrance !== undefined) return asked;
    const count = asked.presented?.length ?? 0;
    const because = `${count === 1 ? 'the only address' : `each of ${count} addresses`} presents the next certificate`;
    return { ...asked, ...(await done(move, { step: 'verified', evidence: 'shown', because })) };
  },
  retired: async (move) => {
    const asked = await askAddresses(move, 'retired');
    if (asked.hindrance !== undefined) return asked;
    // A person may have thought for an hour.
    const refused =
      findNoPlace(move, 'retired') ?? (await agree(move, 'retired')) ?? (await askAddresses(move, 'retired')).hindrance;
    if (refused !== undefined) return { ...asked, hindrance: refused };
    const written = await writeFile(move, 'retired');
    return { ...asked, ...(await deliver(written, 'retired')) };
  },
};

function words(seconds: number): string {
  return seconds % 3600 === 0 ? `${seconds / 3600} h` : `${seconds} s`;
}

async function done({ rotation, world, file }: Move, step: Omit<StepDone, 'at'>): Promise<Moved> {
  const next = finish(rotation, step, file, world.now());
  await world.save(next);
  return { rotation: next };
}

async function agree({ world }: Move, question: Question): Promise<Hindrance | undefined> {
  const answer = await world.agree(question);
  return answer === 'yes' ? undefined : { why: answer === 'no' ? 'declined' : 'unasked' };
}

async function askAddresses(
  { rotation, file, world }: Move,
  step: 'verified' | 'retired' | 'abort',
): Promise<Moved & { readonly rotation: Rotation }> {
  const presented = await world.present(pinsAfter(rotation, step, file));
  const hindrance = judgeAddressesFor(step, presented);
  return { rotation, presented, ...(hindrance === undefined ? {} : { hindrance }) };
}

/** Records what will be done, does it, and reads it back. */
async function writeFile(move: Move, step: Question): Promise<Move> {
  const { rotation, file, world } = move;
  const begun = begin(rotation, step, file, world.now());
  const after = pinsAfter(rotation, step, file);
  await world.save(begun);
  await world.writeFile(file, after);
  return { ...move, rotation: begun, file: after };
}

/** If the pins file lists no place, only a person can know where the pins went. */
function findNoPlace(
  { rotation, file, world, said }: Move,
  step: 'delivered' | 'retired' | 'abort',
): Hindrance | undefined {
  if (said.byHand || world.hasPlaces()) return undefined;
  return { why: 'no-place', pins: pinsAfter(rotation, step, file).pins };
}

async function deliver(move: Move, step: 'delivered' | 'retired'): Promise<Moved> {
  const { rotation, world, said } = move;
  const brought = await world.deliver();
  const hindrance = findUndelivered(brought, said);
  if (hindrance !== undefined) return { rotation, hindrance };
  const { places: deliveries } = brought;
  const isShown = deliveries.length > 0 && deliveries.every(({ state }) => state === 'shown');
  const because = `${step === 'retired' ? 'the old pin is out of the pins file, and the pins that are left stand' : 'the pins stand'} ${where(deliveries)}`;
  return { ...(await done(move, { step, evidence: isShown ? 'shown' : 'told', because })), deliveries };
}

function where(deliveries: readonly Delivery[]): string {
  const byHand = deliveries.filter(({ state }) => state === 'left').length;
  if (deliveries.length === byHand) return 'where somebody brought them by hand';
  const told = deliveries.filter(({ state }) => state === 'told').length;
  const only = deliveries.length === 1;
  const unread = told === 0 ? '' : only ? '; it cannot be read back' : `; ${told} of them cannot be read back`;
  const others = byHand === 0 ? '' : `; at ${byHand} somebody brought them by hand`;
  return `at ${only ? 'the only place' : `each of ${deliveries.length} places`}${unread}${others}`;
}

/**
 * Reads every place again, before the wait ends and before a server is changed. Another tool may have brought the old pins back (Terraform,
 * the Deploy CLI, a colleague), and a place may be new. Containers that started with those pins would refuse the next certificate. So the
 * delivery is repeated, and the wait with it.
 */
async function findLost({ rotation, world }: Move): Promise<Moved | undefined> {
  const brought = await world.look();
  // A place that could not be read proves nothing.
  if (brought.problems.length > 0) return { rotation, hindrance: { why: 'undelivered', brought } };
  if (!brought.places.some(({ state }) => state === 'open')) return undefined;
  const back = undeliver(rotation);
  await world.save(back);
  return { rotation: back, hindrance: { why: 'lost', brought } };
}

/** Whether the next pin may be at a place: also by a push of somebody else, or by a delivery that had to be repeated. */
async function isAnywhere({ world }: Move): Promise<boolean> {
  const { places, problems } = await world.look();
  return problems.length > 0 || places.some(({ state }) => state === 'shown' || state === 'told');
}

const NOTHING: Brought = { places: [], problems: [], hints: [], isUnasked: false };

function findUndelivered(brought: Brought, { byHand }: Said): Hindrance | undefined {
  const isOpen = brought.places.some(({ state }) => state === 'open' || (state === 'left' && !byHand));
  return isOpen || brought.problems.length > 0 ? { why: 'undelivered', brought } : undefined;
}
