import { parseTarget } from 'certpin/probe';
import type { State, TargetRow } from '../types.ts';

/** What a state demands of a person. */
interface Advice {
  readonly words: string;
  /** Lines for a shell. */
  readonly commands: (target: Spelled) => readonly string[];
}

/** Makes the commands of a target. Each is a line for a shell. */
interface Spelled {
  /** For commands that look the target up in the pins file. */
  readonly known: (verb: string, options: string) => string;
  /** For commands that make a target from the address and the server name. */
  readonly server: (verb: string, options: string) => string;
  /** ` --file PATH` */
  readonly file: string;
  /** ` --all-addresses`; nothing for a file, which has no address. */
  readonly all: string;
}

// The advice depends on the state, and on nothing else that a server presents: an attacker in between must not choose it. No advice says to
// pin what was presented.
const fromServer = ({ server, file }: Spelled): string => server('trust', ` --from server.crt --add${file}`);
const next = ({ server, file }: Spelled): string => server('trust', ` --from next.crt --add${file}`);
const ask = ({ all, known, file }: Spelled): string => known('check', `${all}${file}`);

const adviceOf: Readonly<Record<Exclude<State, 'holds'>, Advice>> = {
  rotated: {
    words:
      'Another pin of the file is in use now. Remove the old pin when no server presents the old certificate any more.',
    commands: (target) => [ask(target), target.server('trust', ` --replace${target.file}`)],
  },
  mixed: {
    words:
      'A pin holds at every address, but the certificates differ: a rotation is in progress, or it has stopped half-way. Wait, or finish it.',
    commands: (target) => [ask(target)],
  },
  'ends-soon': {
    words: 'Add the next pin first. Then renew the certificate, so that no client is locked out.',
    commands: (target) => [next(target)],
  },
  'no-such-name': {
    words: 'The name server does not know the name. Check the name, and the name server.',
    commands: (target) => [ask(target)],
  },
  unreachable: {
    words: 'Nobody answers, or not with TLS. Check the server, and the network between.',
    commands: (target) => [ask(target)],
  },
  refused: {
    words: 'A condition beside the pin does not hold. Check the settings of the server.',
    commands: (target) => [ask(target)],
  },
  'not-yet-valid': {
    words: 'The validity of the pinned certificate has not begun. Compare the clocks of both machines.',
    commands: (target) => ['date -u', ask(target)],
  },
  expired: {
    words: 'The pinned certificate has ended, and clients refuse it. Add the pin of the next one, then install it.',
    commands: (target) => [next(target)],
  },
  drift: {
    words:
      'Another certificate than the pinned one is presented. Either somebody has replaced it, or an attacker is in between: nobody can tell from here. ' +
      'Fetch server.crt from the server itself, over another channel. Only if its hash is the presented one, add its pin.',
    commands: (target) => ['openssl x509 -in server.crt -noout -fingerprint -sha256', fromServer(target)],
  },
  revoked: {
    words:
      'A revoked pin is presented. Find out who answers: the thief of the key, or your own server that still has the old key.',
    commands: (target) => [target.server('get', target.all), ask(target)],
  },
};

/** undefined: there is nothing to do. */
export function wordsOf(state: State): string | undefined {
  return state === 'holds' ? undefined : adviceOf[state].words;
}

/** Lines for a shell. */
export function commandsOf(
  state: State,
  { id, label, servername }: Pick<TargetRow, 'id' | 'label' | 'servername'>,
  pinsFile: string,
): readonly string[] {
  if (state === 'holds') return [];
  const name = servername === null ? '' : ` --servername ${quote(servername)}`;
  return adviceOf[state].commands({
    known: (verb, options) => command(verb, id ?? label, options),
    server: (verb, options) => command(verb, label, `${name}${options}`),
    file: ` --file ${quote(pinsFile)}`,
    all: isFile(label) ? '' : ' --all-addresses',
  });
}

function isFile(label: string): boolean {
  try {
    return parseTarget(label).protocol === 'file';
  } catch {
    // The label of a target that an older certpin has written: the command says what is wrong with it.
    return false;
  }
}

/** The command for a running rotation. */
export function rotateCommand(
  step: 'next' | 'abort',
  { id, label }: Pick<TargetRow, 'id' | 'label'>,
  pinsFile: string,
): string {
  return command(`rotate ${step}`, id ?? label, ` --file ${quote(pinsFile)}`);
}

/** A file can have the name `--replace`. After two dashes, certpin takes it for a target. */
function command(verb: string, target: string, options: string): string {
  return target.startsWith('-')
    ? `certpin ${verb}${options} -- ${quote(target)}`
    : `certpin ${verb} ${quote(target)}${options}`;
}

/** An argument in a form that a shell reads back. */
function quote(argument: string): string {
  return /^[\w.:/@%+,-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", String.raw`'\''`)}'`;
}
