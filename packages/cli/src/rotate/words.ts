import { type Difference, type Presented, type Rotation, settlesAt } from '@certpin/pins-file';
import type { ExitCode } from '../io.ts';
import type { Hindrance } from './world.ts';

/** The names of the target and its pins file in printed commands. */
export interface Names {
  readonly target: string;
  readonly file: string;
  /** ` --file FILE`, if it is not the usual one. */
  readonly option: string;
  /** What a person said about the places, repeated for the next command: ` --values FILE`. */
  readonly places: string;
  /** The given command, complete enough to be pasted. */
  readonly again: string;
  readonly now: Date;
}

/** Why a step is not taken: what was found, and what to do. */
export interface Told {
  readonly exit: ExitCode;
  readonly reason: string;
  /** More lines: one for each address, place, or difference. */
  readonly details: readonly string[];
  /** Commands to paste, or what to do. */
  readonly hints: readonly string[];
}

type Tell<Why extends Hindrance['why']> = (
  hindrance: Extract<Hindrance, { readonly why: Why }>,
  names: Names,
  rotation: Rotation,
) => Told;

const no = (reason: string, hints: readonly string[], details: readonly string[] = []): Told => {
  return { exit: 1, reason, details, hints };
};

const tells: { readonly [Why in Hindrance['why']]: Tell<Why> } = {
  ended: ({ how }, { target, option }) =>
    no(`the rotation has ended: ${how}`, [`certpin rotate start ${target}${option} --next FILE`]),
  'being-aborted': (_, { target, option }) =>
    no('it is being taken back: finish that first', [`certpin rotate abort ${target}${option}`]),
  clock: ({ seen }, { now }) =>
    no(
      `the clock goes backwards: it says ${minute(now.toISOString())}, and the last step was at ${minute(seen)}: no wait can be counted`,
      ['set the clock of this machine'],
    ),
  'no-target': (_, { file }) =>
    no(`the target no longer stands in ${file}`, [
      'put it back into the file as it was, or remove the rotation from its file',
    ]),
  differs: ({ differences }, { again, file }) =>
    no(
      `${file} was changed by somebody else since the last step`,
      ['if the change is intended:', `${again} --accept-change`],
      differences.map(differenceWords),
    ),
  waiting: ({ until }, { again, now }) =>
    no(`it is not settled: ${left(Date.parse(until) - now.getTime())} to wait, until ${minute(until)}`, [
      'containers with the old pins would still refuse the next certificate; after the wait:',
      again,
    ]),
  'not-yet-valid': ({ from }) =>
    no(`the next certificate is not valid before ${minute(from)}`, ['wait: every client would refuse it']),
  expired: ({ end }, { target, option }) =>
    no(`the next certificate has ended at ${minute(end)}`, [`certpin rotate abort ${target}${option}`]),
  unreached: ({ addresses }, { again }) => ({
    exit: 2,
    reason:
      addresses.length === 0
        ? 'the name has no address, so nothing is shown'
        : `${addresses.length === 1 ? 'one address does' : `${addresses.length} addresses do`} not answer, so certpin cannot see the certificate`,
    details: addresses.map(addressWords),
    hints: ['start it again, or take it out of DNS; then:', again],
  }),
  'presents-other': ({ addresses }, { target, option, again }) => {
    const isBack = !addresses.some(({ next }) => !next);
    return isBack
      ? no(
          'bring the old certificate back first: without the next pin, nobody could log in',
          ['run the commands that are printed here on each server; then:', again],
          addresses.map(addressWords),
        )
      : no(
          'not every address presents the certificate that it should',
          [
            'possible causes: a reload that kept the old file, a forgotten address, or the wrong key; look into the log of the server',
            'this prints the commands for the servers again:',
            `certpin rotate status ${target}${option}`,
          ],
          addresses.map(addressWords),
        );
  },
  'revoked-for-ever': (_, { target, option }) =>
    no('the old pin is revoked, and no command brings it back: the rotation can only go on', [
      `certpin rotate next ${target}${option}`,
    ]),
  undelivered: ({ brought: { places, problems, hints, isUnasked } }, { again }) => {
    // With a problem, nothing was brought anywhere, so --by-hand would be refused too.
    const isLeft =
      problems.length === 0 &&
      places.some(({ state }) => state === 'left') &&
      !places.some(({ state }) => state === 'open');
    return {
      exit: isUnasked ? 2 : 1,
      reason: isLeft ? 'certpin does not bring the pins to every place' : 'the pins are not at every place',
      details: [...places.map(({ state, reason }) => `${stateWords[state]}: ${reason}`), ...problems],
      hints: isLeft
        ? [
            'bring them there: by a run of the tool that is named, by certpin auth0 push with the credentials of that tenant, or by hand; then:',
            `${again} --by-hand`,
          ]
        : [...hints, 'when that is solved, the same command does the rest:', again],
    };
  },
  lost: ({ brought: { places } }, { target, option }) =>
    no(
      'somebody else has written a place since the pins were delivered, or the place is new',
      [
        'if Terraform or the Deploy CLI writes it, change the pins there too; then deliver again, and wait again:',
        `certpin rotate next ${target}${option}`,
      ],
      places.filter(({ state }) => state === 'open').map(({ reason }) => reason),
    ),
  'no-place': ({ pins }, { again, file }) =>
    no(
      `${file} lists no place ("deliver") for this target: certpin cannot show where its pins arrive`,
      [
        'list the places under "deliver" of the pins file, and certpin writes the pins there; or do it by hand:',
        'put these pins where your programs read them (in Auth0: DB_PINS of the database settings), and say so:',
        `${again} --by-hand`,
      ],
      [pins.join(',')],
    ),
  canary: ({ canary }, { again }) => ({
    exit: canary.outcome === 'refused' ? 1 : 2,
    reason:
      canary.outcome === 'refused'
        ? `the canary could not log in: ${canary.reason}`
        : `no login was tried: ${canary.reason}`,
    details: [],
    hints:
      canary.outcome === 'refused'
        ? [
            'are CERTPIN_CANARY_USERNAME and CERTPIN_CANARY_PASSWORD right? If they are, look into the log of the tenant before anything else; then:',
            again,
          ]
        : [
            /CERTPIN_CANARY/.test(canary.reason)
              ? 'set CERTPIN_CANARY_USERNAME and CERTPIN_CANARY_PASSWORD; or, without a login:'
              : 'solve that, and run the same command again; or, without a login:',
            `${again} --no-canary`,
          ],
  }),
  declined: (_, { file }) => no(`${file} and every place are as they were`, []),
  unasked: (_, { again }) => ({
    exit: 2,
    reason: 'there is no terminal to ask on; nothing was done',
    details: [],
    hints: [`${again} --yes`],
  }),
};

export function tellHindrance(hindrance: Hindrance, names: Names, rotation: Rotation): Told {
  return (tells[hindrance.why] as Tell<Hindrance['why']>)(hindrance as never, names, rotation);
}

const stateWords = { shown: 'there', told: 'brought', left: 'left to somebody else', open: 'missing' } as const;

function differenceWords({ list, pin, how }: Difference): string {
  return how === 'added' ? `${pin} was added to "${list}"` : `${pin} is gone from "${list}"`;
}

function addressWords({ address, reason }: Presented): string {
  return `${address}: ${reason}`;
}

/** `2026-11-30 20:02 UTC` */
export function minute(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

/** `21 h 12 min` */
function left(milliseconds: number): string {
  const minutes = Math.ceil(milliseconds / 60_000);
  if (minutes < 1) return 'less than a minute';
  if (minutes < 60) return `${minutes} min`;
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`;
}

/** When the wait is over, for people. */
export function settledWords(rotation: Rotation, now: Date): string {
  const until = settlesAt(rotation);
  const wait = `waits ${left(rotation.settleSeconds * 1000)} after the delivery`;
  if (until === undefined) return wait;
  const rest = until.getTime() - now.getTime();
  return rest > 0
    ? `${left(rest)} to wait, until ${minute(until.toISOString())}`
    : `the wait was over at ${minute(until.toISOString())}`;
}
