import type { Random } from '@certpin/testkit/random';
import { copy, encode, type Node, node, sequence, walk } from './tree.ts';

/** Changes one thing in the tree, in place. */
type Mutation = (random: Random, target: Target) => void;

interface Target {
  readonly all: readonly Node[];
  /** The body of a certificate that an attacker wants to pass off as this one's. */
  readonly victim: Node;
}

/** The element may not exist: a change may have removed the last one of its kind. */
const childrenOf = (element: Node | undefined): Node[] =>
  element === undefined || Buffer.isBuffer(element.content) ? [] : element.content;
const parents = (all: readonly Node[]): Node[] => all.filter((element) => childrenOf(element).length > 0);

const TIMES = [
  ...['4901010000Z', '260101000000+0100', '000101000000Z', '261301000000Z', '260101000000z', '26010100000Z'],
  ...['00490101000000Z', '20270101000000.5Z', '20270101000000-0800', '99991231235959Z', '202701010000Z', '2027-01-01'],
  ...['270230000000Z', '270101240000Z', '270101000060Z', '20270101000000', ' 70101000000Z'],
];

const mutations: readonly Mutation[] = [
  /** A tag of several bytes. */
  (random, { all }) => {
    random.pick(all).tagBytes = random.pick([0, 0, 0, 1, 2]);
  },
  (random, { all }) => {
    random.pick(all).lengthBytes = random.pick([1, 1, 2, 3, 4, 5]);
  },
  (random, { all }) => {
    const target = random.pick(parents(all));
    if (target !== undefined) target.lengthBytes = -1;
  },
  (random, { all }) => {
    random.pick(all).lie = random.pick([-1, 1, -2, 2, 3]);
  },
  /** Another tag: a string of another kind, constructed, another class. */
  (random, { all }) => {
    const target = random.pick(all);
    target.tag = random.pick([target.tag ^ 0x20, target.tag ^ 0x80, target.tag ^ 0x40, random.below(256)]);
  },
  /** Numbers: padded, negative, empty, large. */
  (random, { all }) => {
    const target = random.pick(all.filter(({ tag }) => tag === 0x02));
    if (!Buffer.isBuffer(target?.content)) return;
    target.content = random.pick([
      Buffer.concat([Buffer.alloc(1 + random.below(3)), target.content]),
      Buffer.of(0xff),
      Buffer.of(0xff, 0xff),
      Buffer.alloc(0),
      Buffer.of(0),
      Buffer.of(0, 0x80),
      random.bytes(1 + random.below(30)),
    ]);
  },
  (random, { all }) => {
    const target = random.pick(all.filter(({ tag }) => tag === 0x01));
    if (target !== undefined)
      target.content = random.pick([
        Buffer.of(0),
        Buffer.of(1),
        Buffer.of(0x7f),
        Buffer.of(0xff, 0xff),
        Buffer.alloc(0),
      ]);
  },
  (random, { all }) => {
    const target = random.pick(all.filter(({ tag }) => tag === 0x17 || tag === 0x18));
    if (target === undefined) return;
    target.tag = random.pick([0x17, 0x18]);
    target.content = Buffer.from(random.pick(TIMES));
  },
  /** Doubled, removed, reordered, or taken from another place. */
  (random, { all }) => {
    const children = childrenOf(random.pick(parents(all)));
    const index = random.below(children.length);
    children.splice(index, 0, ...children.slice(index, index + 1).map(copy));
  },
  (random, { all }) => {
    const children = childrenOf(random.pick(parents(all)));
    children.splice(random.below(children.length), 1);
  },
  (random, { all }) => {
    const children = childrenOf(random.pick(parents(all)));
    const [from, to] = [random.below(children.length), random.below(children.length)];
    children.splice(to, 0, ...children.splice(from, 1));
  },
  (random, { all, victim }) => {
    const children = childrenOf(random.pick(parents(all)));
    children[random.below(children.length)] = copy(random.pick([...all, ...walk(victim)]));
  },
  (random, { all }) => {
    random.pick(all).trailing = random.pick([Buffer.of(0), Buffer.of(5, 0), Buffer.of(0, 0), random.bytes(3)]);
  },
  /** Bytes that read as the rest of a certificate, inside of something else: any field of the victim, and what follows it. */
  forge,
  forge,
  forge,
  /** Bits of a string that are not used; bytes. */
  (random, { all }) => {
    const target = random.pick(all.filter(({ content }) => Buffer.isBuffer(content) && content.length > 0));
    if (!Buffer.isBuffer(target?.content)) return;
    target.content[random.below(target.content.length)] = random.below(256);
  },
  (random, { all }) => {
    const target = random.pick(all.filter(({ tag }) => tag === 0x03));
    if (Buffer.isBuffer(target?.content)) target.content[0] = random.below(9);
  },
  /** An extension more: any of those that somebody looks at, with any value, critical or not. */
  (random, { all }) => {
    const [list] = childrenOf(random.pick(all.filter(({ tag }) => tag === 0xa3)));
    const id = random.pick([
      '551d13',
      '551d0f',
      '551d11',
      '551d25',
      '551d1e',
      '551d20',
      '551d23',
      '2a030405',
      '6086480186f8420101',
    ]);
    const value = random.pick([...all, sequence(), node(0x03, Buffer.of(1, 6)), node(0x05, Buffer.alloc(0))]);
    const flag = random.pick([[], [node(0x01, Buffer.of(random.pick([0xff, 0, 1])))]]);
    childrenOf(list).push(sequence(node(0x06, Buffer.from(id, 'hex')), ...flag, node(0x04, encode(value))));
  },
];

/** Where the key stands among the fields of a body. */
const KEY = 6;

function forge(random: Random, { all, victim }: Target): void {
  const fields = childrenOf(victim);
  const from = random.below(KEY + 1);
  const shortened = random.chance(0.6);
  const forged = fields.slice(from, KEY + 1).map((field, index) => {
    const isName = [2, 3, 5].includes(from + index);
    return encode(shortened && isName ? sequence() : field);
  });
  // The first elements are the version and the serial number, which come before everything that readers look for.
  const target = random.pick(random.chance(0.5) && all.length > 5 ? all.slice(1, 5) : all);
  const before = random.pick([Buffer.alloc(0), Buffer.of(0), random.bytes(1 + random.below(4))]);
  target.content = Buffer.concat([before, ...forged]);
  if (random.chance(0.5)) target.tagBytes = random.pick([0, 0, 1]);
  if (random.chance(0.3)) target.lengthBytes = random.pick([1, 2, 3, 4]);
}

/** Changes a few things in `tree`; returns it. */
export function mutate(random: Random, tree: Node, victim: Node): Node {
  for (let left = 1 + random.below(3); left > 0; left--)
    random.pick(mutations)(random, { all: [...walk(tree)], victim });
  return tree;
}
