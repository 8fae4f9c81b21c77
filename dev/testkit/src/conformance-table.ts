import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type ConformanceCase, ConformanceFailure, type SuiteAdapter, whyNotRun } from './conformance.ts';

/** The result of one case for one adapter. */
interface Cell {
  readonly passed: boolean;
  /** How many exchanges with wrong servers were tried. */
  readonly refusals: number;
  /** Application bytes that a wrong server received. */
  readonly bytes: number;
  readonly message: string;
}

/** Runs cases and notes their results, by adapter and case. Two good runs give the same table. */
export class ConformanceTable {
  readonly #adapters: readonly string[];
  readonly #cases: readonly string[];
  /** By adapter and case. An unfinished case has no cell, so it cannot pass for a success. */
  readonly #cells = new Map<string, Cell>();
  /** By adapter and case: why the adapter cannot express it. */
  readonly #reasons = new Map<string, string>();
  /** By adapter: why it does not run on this Node. Its column is taken from the page. */
  readonly #absent = new Map<string, string>();

  constructor(
    adapters: readonly Pick<SuiteAdapter, 'name' | 'cannot' | 'notOnThisNode'>[],
    cases: readonly Pick<ConformanceCase, 'name' | 'needs'>[],
  ) {
    this.#adapters = adapters.map(({ name }) => name);
    this.#cases = cases.map(({ name }) => name);
    for (const adapter of adapters) {
      if (adapter.notOnThisNode !== undefined) this.#absent.set(adapter.name, adapter.notOnThisNode);
      for (const suiteCase of cases) {
        const reason = whyNotRun(adapter, suiteCase);
        if (reason !== undefined) this.#reasons.set(keyOf(adapter.name, suiteCase.name), reason);
      }
    }
  }

  /** Runs a case, notes the outcome, and rejects as the case does. */
  async run(adapter: SuiteAdapter, { name, run }: ConformanceCase): Promise<void> {
    let refusals = 0;
    let bytes = 0;
    const onWrongServer = (received: number): void => {
      refusals++;
      bytes = Math.max(bytes, received);
    };
    const note = (passed: boolean, message: string): void => {
      this.#cells.set(keyOf(adapter.name, name), { passed: passed && bytes === 0, refusals, bytes, message });
    };
    try {
      await run({ ...adapter, onWrongServer });
      note(true, '');
    } catch (error) {
      note(false, error instanceof ConformanceFailure ? error.message : String(error));
      throw error;
    }
  }

  /** Whether a case of an adapter that can express it has not run. */
  isPartial(): boolean {
    return this.#expected().some((cell) => cell === undefined);
  }

  /** For a terminal: the name of the case comes last, because it is long. Failures are below. */
  toText(): string {
    const widths = this.#adapters.map((name) => Math.max(name.length, '✗ 1000 B'.length));
    const line = (cells: readonly string[], last: string): string =>
      `${cells.map((cell, index) => cell.padStart(widths[index] ?? 0)).join('  ')}  ${last}`;
    const failures = this.#adapters.flatMap((adapter) =>
      this.#cases.flatMap((name) => {
        const cell = this.#cell(adapter, name);
        return cell === undefined || cell.passed ? [] : [`✗ ${adapter}, ${name}: ${cell.message}`];
      }),
    );
    return [
      'Conformance. ✓ passed; 0 B passed, and the wrong server received 0 bytes; ✗ failed; – not run; n/a see below.',
      line(this.#adapters, 'case'),
      ...this.#cases.map((name) => line(this.#row(name), name)),
      line(this.#sums('refusals').map(String), 'exchanges with wrong servers'),
      line(this.#sums('bytes').map(String), 'bytes that they received'),
      ...failures,
      ...[...this.#absent].map(([adapter, reason]) => `not on this Node: ${adapter}: ${reason}`),
      ...this.#inexpressible().map((line) => `n/a ${line}`),
    ].join('\n');
  }

  /**
   * For the documentation: the page, to its last byte.
   *
   * @param before the present page, for the columns that do not run on this Node
   * @throws Error if it lacks such a column
   */
  toMarkdown(before = ''): string {
    const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
    return `${[
      introduction,
      row(['case', ...this.#adapters]),
      row(['---', ...this.#adapters.map(() => ':-:')]),
      ...[
        ...this.#cases.map((name) => [name, ...this.#row(name)]),
        ['**exchanges with wrong servers**', ...this.#sums('refusals').map(String)],
        ['**bytes that they received**', ...this.#sums('bytes').map((bytes) => `**${bytes}**`)],
      ].map(([name = '', ...cells]) =>
        row([name, ...cells.map((cell, index) => this.#kept(before, name, index) ?? cell)]),
      ),
      ...(this.#reasons.size === 0 ? [] : ['', 'What a client cannot express (n/a):', '']),
      ...this.#inexpressible().map((line) => `- ${line}`),
    ].join('\n')}\n`;
  }

  /**
   * Compares the table with the page, and writes the page if they differ.
   *
   * @throws Error if a case failed or was not run (the page stays unchanged), and if the page differed
   */
  publish(page: string): void {
    if (!this.#expected().every((cell) => cell?.passed))
      throw new Error(`not every case has passed: ${page} stays as it is`);
    const before = existsSync(page) ? readFileSync(page, 'utf8') : '';
    const table = this.toMarkdown(before);
    if (before === table) return;
    writeFileSync(page, table);
    throw new Error(`${page} was out of date; it has been rewritten: commit it`);
  }

  /** What the page says for an adapter that does not run on this Node. undefined for the others. */
  #kept(before: string, name: string, index: number): string | undefined {
    const adapter = this.#adapters[index] ?? '';
    if (!this.#absent.has(adapter)) return undefined;
    const cells = (first: string): string[] =>
      before
        .split('\n')
        .find((line) => line.startsWith(`| ${first} | `))
        ?.split(' | ')
        .map((cell) => cell.replace(/^\| | \|$/g, '')) ?? [];
    const kept = cells(name)[cells('case').indexOf(adapter)];
    if (kept !== undefined) return kept;
    throw new Error(
      `the page has no cell for ${adapter}, “${name}”, and it does not run on this Node: run the suite on one on which it does`,
    );
  }

  /** Of every case that an adapter can express, on this Node. */
  #expected(): (Cell | undefined)[] {
    const here = this.#adapters.filter((adapter) => !this.#absent.has(adapter));
    return here.flatMap((adapter) =>
      this.#cases.flatMap((name) => (this.#reasons.has(keyOf(adapter, name)) ? [] : [this.#cell(adapter, name)])),
    );
  }

  /** What was not run, and why: one line for each reason. */
  #inexpressible(): string[] {
    const lines = new Map<string, { adapters: Set<string>; names: Set<string> }>();
    for (const adapter of this.#adapters) {
      for (const name of this.#cases) {
        const reason = this.#reasons.get(keyOf(adapter, name));
        if (reason === undefined) continue;
        const line = lines.get(reason) ?? { adapters: new Set(), names: new Set() };
        lines.set(reason, line);
        line.adapters.add(adapter);
        line.names.add(`“${name}”`);
      }
    }
    return [...lines].map(
      ([reason, { adapters, names }]) => `${[...adapters].join('; ')}: ${reason}. Not run:${listOf([...names])}`,
    );
  }

  #cell(adapter: string, name: string): Cell | undefined {
    return this.#cells.get(keyOf(adapter, name));
  }

  #row(name: string): string[] {
    return this.#adapters.map((adapter) => {
      const cell = this.#cell(adapter, name);
      if (cell === undefined) return this.#reasons.has(keyOf(adapter, name)) ? 'n/a' : '–';
      const bytes = cell.refusals > 0 ? `${cell.bytes} B` : '';
      return cell.passed ? bytes || '✓' : `✗ ${bytes}`.trim();
    });
  }

  /** Per adapter. */
  #sums(key: 'refusals' | 'bytes'): number[] {
    return this.#adapters.map((adapter) =>
      this.#cases.reduce((sum, name) => sum + (this.#cell(adapter, name)?.[key] ?? 0), 0),
    );
  }
}

/** One name on the line, several below it. */
function listOf(names: readonly string[]): string {
  return names.length === 1 ? ` ${names[0]}.` : names.map((name) => `\n  - ${name}`).join('');
}

function keyOf(adapter: string, name: string): string {
  return JSON.stringify([adapter, name]);
}

const introduction = `<!-- Written by \`npm run test:conformance\`. Do not edit it: run that, and commit what it writes. -->
# Conformance

Every adapter runs every case of the [conformance suite](../../dev/testkit/src/conformance.ts) that it can express. It runs with the client
itself, as npm delivers it, and with the compiled library.

- TLS and HTTP servers are Node's.
- PostgreSQL, MariaDB, OpenLDAP and Redis are real. In front of them is a relay. It presents the certificate of the case, counts what it can
  decrypt, and passes everything on. So a wrong server is one that would answer.
- SQL Server (tedious, mssql) and MongoDB are servers of our own, because the real ones could not be run here. The official drivers, and
  FreeTDS, log in to them and read from them.

What a column proves of its adapter:

- It reaches the pinned server, by every kind of pin, over TLS 1.2 and 1.3, with pools, sessions and client certificates.
- The server that is called decides whose pins apply. A \`Host\` header never decides, and a server name does only if the configuration gives it.
- Every exchange with a wrong server is refused with the error that the case names, as an ordinary rejection of the client's own call.
- The client may have had anything ready to send, also the user name and the password. **The wrong server received 0 bytes** after the
  handshake.

The suite can fail: [recipe.test.ts](../../packages/certpin/test/recipe.test.ts) runs it against another technique, and it does. What is special
about a client, and its other versions, is tested separately in [test/adapters](../../packages/certpin/test/adapters).

- ✓: passed; the case has no wrong server.
- 0 B: passed; in every exchange the wrong server was refused, and it received 0 bytes.
- n/a: the client cannot express the case; the reasons stand below the table.

If a case fails or is left out, the run does not write this page.
`;
