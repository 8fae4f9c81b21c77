import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

// The arrows between the folders, and what else a reader of the sources may rely on, read from the import statements.

const root = fileURLToPath(new URL('../../..', import.meta.url));

interface Import {
  /** The importing file, from the root of the repository. */
  readonly from: string;
  /** The imported file, or the name of a package. */
  readonly to: string;
  /** `import type`, or nothing but types among the names: gone at run time. */
  readonly typeOnly: boolean;
  /** The imported names, as their module calls them; `*` for a namespace, `default` for a default import. */
  readonly names: readonly string[];
}

const STATEMENT = /^[ \t]*(import|export)\s+(type\s+)?((?:[\w$*]|\{[^}]*\}|[\s,])+?\s+from\s+)?'([^'\n]+)'/gm;
const CALL = /\b(?:import|require|require\.resolve)\(\s*['"`]([^'"`]+)['"`]/g;

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(?<=^|\s)\/\/.*/g, '');
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

function sourcesOf(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  const files = readdirSync(join(root, folder), { recursive: true }) as string[];
  return files.filter((file) => /\.[cm]?ts$/.test(file)).map((file) => join(folder, file).split(sep).join('/'));
}

function importsOf(file: string): Import[] {
  const code = withoutComments(read(file));
  const resolve = (specifier: string) =>
    specifier.startsWith('.')
      ? relative(root, join(root, dirname(file), specifier))
          .split(sep)
          .join('/')
      : specifier;
  const statements = [...code.matchAll(STATEMENT)].map(([, , type, clause = '', specifier = '']) => {
    const named = /\{([^}]*)\}/
      .exec(clause)?.[1]
      ?.split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '');
    const bare = clause
      .replace(/\{[^}]*\}/, '')
      .replace(/\sfrom\s$/, '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '');
    const values = (named ?? []).filter((name) => !name.startsWith('type '));
    const typeOnly =
      type !== undefined || (named !== undefined && bare.length === 0 && values.length === 0 && named.length > 0);
    const names = [
      ...(typeOnly ? (named ?? []) : values).map((name) => name.replace(/^type /, '').split(/\s+as\s+/)[0] ?? ''),
      ...bare.map((name) => (name.startsWith('*') ? '*' : 'default')),
    ];
    return { from: file, to: resolve(specifier), typeOnly, names };
  });
  const calls = [...code.matchAll(CALL)].map(([, specifier = '']) => ({
    from: file,
    to: resolve(specifier),
    typeOnly: false,
    names: ['*'],
  }));
  return [...statements, ...calls];
}

const library = sourcesOf('packages/certpin/src');
const imports = library.flatMap(importsOf);
const others = readdirSync(join(root, 'packages')).filter((name) => name !== 'certpin');

/** The folder of the house that a file of the library stands in: `core`, `tls`, …; '' for the entry. */
const folderOf = (file: string) => /^packages\/certpin\/src\/([^/]+)\//.exec(file)?.[1] ?? '';
/** The ground floor, a file each: the errors, which import nothing but types, and the spelling of hosts, which imports nothing. */
const [errors, host] = ['packages/certpin/src/errors.ts', 'packages/certpin/src/host.ts'];
const placeOf = (file: string) => (file === errors || file === host ? file : folderOf(file));
const isFile = ({ to }: Import) => to.startsWith('packages/');
const show = (list: readonly Import[]) => list.map(({ from, to }) => `${from} -> ${to}`);

describe('the reader of import statements', () => {
  it('sees all of them', () => {
    assert.ok(library.length > 20, `only ${library.length} sources`);
    const handshake = imports.filter(({ from }) => from.endsWith('leaf/handshake.ts'));
    const tls = handshake.find(({ to }) => to === 'node:tls');
    assert.ok(tls !== undefined && !tls.typeOnly && tls.names.includes('default'));
    const guard = imports.filter(({ from }) => from.endsWith('tls/guard.ts'));
    assert.ok(guard.some(({ to, typeOnly }) => to === 'packages/certpin/src/core/policy-type.ts' && typeOnly));
    // Every `from '…'` and bare import in the sources is one of those that were read.
    for (const file of library) {
      const counted = withoutComments(read(file)).match(/\bfrom '[^'\n]+'|^import '[^'\n]+'/gm)?.length ?? 0;
      assert.equal(
        imports.filter(({ from, names }) => from === file && !(names.length === 1 && names[0] === '*')).length,
        counted,
        file,
      );
    }
  });
});

describe('the arrows inside the library', () => {
  const allowed: Record<string, readonly string[]> = {
    leaf: ['leaf', errors],
    core: ['core', 'leaf', errors, host],
    protocols: ['protocols', errors, host],
    wire: ['wire', 'leaf', 'protocols', errors, host],
    drivers: ['drivers', 'leaf', 'wire', 'protocols', errors, host],
    inline: ['inline', 'leaf', 'wire', 'drivers', 'protocols', errors, host],
    tls: ['tls', 'core', 'leaf', 'wire', 'drivers', 'protocols', errors, host],
    adapters: ['core', 'leaf', 'tls', 'wire', 'drivers', 'protocols', errors, host],
    probe: ['probe', 'core', 'leaf', 'tls', 'wire', 'protocols', errors, host],
    '': ['core', 'leaf', errors, host],
  };

  it('join no folders but those of the house', () => {
    assert.deepEqual(
      [...new Set(library.map(folderOf))].filter((folder) => !(folder in allowed)),
      [],
    );
  });

  for (const [folder, targets] of Object.entries(allowed)) {
    it(`lead from ${folder || 'the entry'} to ${targets.join(', ')} only`, () => {
      const astray = imports.filter(
        (one) =>
          one.from !== errors && folderOf(one.from) === folder && isFile(one) && !targets.includes(placeOf(one.to)),
      );
      assert.deepEqual(show(astray), []);
    });
  }

  it('lead from core to node:crypto and to nothing else outside', () => {
    const astray = imports.filter((one) => folderOf(one.from) === 'core' && !isFile(one) && one.to !== 'node:crypto');
    assert.deepEqual(show(astray), []);
  });

  it('lead from the ground floor to types alone', () => {
    assert.deepEqual(show(imports.filter((one) => one.from === errors && !one.typeOnly)), []);
    assert.deepEqual(show(imports.filter((one) => one.from === host)), []);
  });

  it('lead from the protocols to nothing outside: no socket, no timer', () => {
    const outside = imports.filter((one) => folderOf(one.from) === 'protocols' && !isFile(one));
    const pure = ({ to, names }: Import) =>
      to === 'node:crypto' || (to === 'node:net' && /^isIP(?:v4,isIPv6)?$/.test(names.join()));
    assert.deepEqual(show(outside.filter((one) => !pure(one))), []);
    for (const file of library.filter((one) => folderOf(one) === 'protocols'))
      assert.doesNotMatch(withoutComments(read(file)), /\b(?:set|clear)(?:Timeout|Interval|Immediate)\b/, file);
  });

  it('never lead from one adapter to another', () => {
    const astray = imports.filter(
      (one) => folderOf(one.from) === 'adapters' && folderOf(one.to) === 'adapters' && isFile(one),
    );
    assert.deepEqual(show(astray), []);
  });

  it('lead to files that are there', () => {
    assert.deepEqual(show(imports.filter((one) => isFile(one) && !library.includes(one.to))), []);
  });

  it('go in no circle, types included', () => {
    const next = (file: string) => imports.filter((one) => one.from === file && isFile(one)).map(({ to }) => to);
    const done = new Set<string>();
    const walk = (file: string, path: readonly string[]): void => {
      assert.ok(!path.includes(file), `a circle: ${[...path.slice(path.indexOf(file)), file].join(' -> ')}`);
      if (done.has(file)) return;
      for (const target of next(file)) walk(target, [...path, file]);
      done.add(file);
    };
    for (const file of library) walk(file, []);
  });
});

describe('what decides', () => {
  const leaf = library.filter((file) => folderOf(file) === 'leaf');
  const linesOf = (file: string): number => read(file).split('\n').length - 1;

  it('is read in one go: no file above 120 lines, 900 in all', () => {
    assert.deepEqual(
      leaf.filter((file) => linesOf(file) > 120),
      [],
    );
    const all = leaf.reduce((sum, file) => sum + linesOf(file), 0);
    assert.ok(all <= 900, `${all} lines`);
  });
});

/** The one listener of the process, in the one file that has it. */
const EXIT_LISTENER = "process.once('exit', removeFolders)";

describe('what the library loads at run time', () => {
  it('is Node and itself: no client, no other package', () => {
    const astray = imports.filter(
      (one) => !isFile(one) && !one.typeOnly && !(one.to.startsWith('node:') && isBuiltin(one.to)),
    );
    assert.deepEqual(show(astray), []);
  });

  it('makes no list of dependencies', () => {
    const { dependencies } = JSON.parse(read('packages/certpin/package.json')) as { dependencies?: object };
    assert.deepEqual(dependencies ?? {}, {});
  });

  it('names a client in its own adapter only', () => {
    const clients = imports.filter((one) => !isFile(one) && !one.to.startsWith('node:'));
    assert.deepEqual(show(clients.filter(({ from }) => folderOf(from) !== 'adapters')), []);
  });

  it('calls tls.connect in one place, the handshake', () => {
    const openers = imports.filter(
      ({ to, typeOnly, names }) =>
        /^(?:node:)?tls$/.test(to) &&
        !typeOnly &&
        names.some((name) => ['connect', 'TLSSocket', '*', 'default'].includes(name)),
    );
    assert.deepEqual(
      openers.map(({ from }) => from),
      ['packages/certpin/src/leaf/handshake.ts'],
    );
    const handshake = withoutComments(read('packages/certpin/src/leaf/handshake.ts'));
    assert.equal(handshake.match(/\btls\.connect\b/g)?.length, 1);
    assert.doesNotMatch(handshake, /\btls(?:\.TLSSocket|\[)|(?<!tls\.)\bconnect\(/);
  });

  it('touches nothing global', () => {
    for (const file of library) {
      const code = withoutComments(read(file));
      assert.doesNotMatch(code, /process\.env(?:\.\w+|\[[^\]]+\])\s*=[^=]|NODE_TLS_REJECT_UNAUTHORIZED/, file);
      // Reading is not touching: what is looked up there is named here.
      const written = code.replace(
        /'XMLHttpRequest' in globalThis|\b(?:agentOf|dispatcherClasses)\(globalThis\)|runInThisContext\('globalThis'\)/g,
        '',
      );
      assert.doesNotMatch(
        written,
        /\bglobalThis\b|\.globalAgent\b|setDefaultAutoSelectFamily|setGlobalDispatcher/,
        file,
      );
      assert.doesNotMatch(code, /Symbol\.for\([^)]*\)\s*\]\s*=[^=]/, file);
      // A unix socket stands in a folder that has to go when the process ends.
      const ofProcess = file === 'packages/certpin/src/wire/unix-end.ts' ? code.replace(EXIT_LISTENER, '') : code;
      assert.doesNotMatch(ofProcess, /process\.(?:exit|abort|on|once|emitWarning)\(/, file);
    }
  });

  it('touches no prototype, but for the hook of the frozen mysql', () => {
    const touching = library.filter((file) =>
      /\.prototype\b|\b[gs]etPrototypeOf\b|__proto__/.test(withoutComments(read(file))),
    );
    assert.deepEqual(touching, ['packages/certpin/src/drivers/mysql.ts']);
  });
});

describe('the tools', () => {
  for (const name of others) {
    it(`import the library by its name: packages/${name}`, () => {
      const all = sourcesOf(`packages/${name}/src`).flatMap(importsOf);
      assert.deepEqual(show(all.filter((one) => isFile(one) && !one.to.startsWith(`packages/${name}/`))), []);
      for (const { to, from } of all) {
        const [specifier, ours] = /^(?:certpin|@certpin\/([\w-]+))(?=\/|$)/.exec(to) ?? [];
        if (specifier === undefined) continue;
        const manifest = read(`packages/${ours ?? 'certpin'}/package.json`);
        const { exports } = JSON.parse(manifest) as { exports: Record<string, unknown> };
        assert.ok(to.replace(specifier, '.') in exports, `${from} imports ${to}, which is not exported`);
      }
    });
  }

  /** From each package to those below it: types count. */
  const below: Record<string, readonly string[]> = {
    certpin: [],
    'pins-file': ['certpin'],
    auth0: ['@certpin/pins-file', 'certpin'],
    watch: ['@certpin/pins-file', 'certpin'],
    cli: ['@certpin/auth0', '@certpin/watch', '@certpin/pins-file', 'certpin'],
  };

  it('are all drawn', () => assert.deepEqual(Object.keys(below).sort(), ['certpin', ...others].sort()));

  for (const [name, targets] of Object.entries(below)) {
    it(`lead from ${name} to ${targets.join(', ') || 'none of ours'} only, never back`, () => {
      const ours = sourcesOf(`packages/${name}/src`)
        .flatMap(importsOf)
        .filter(({ to }) => /^@?certpin(?:\/|$)/.test(to));
      const astray = ours.filter(({ to }) => !targets.some((target) => to === target || to.startsWith(`${target}/`)));
      assert.deepEqual(show(astray), []);
    });
  }

  it('read the pins file with its library for JSON, and two letters off with another; nothing else', () => {
    const outside = sourcesOf('packages/pins-file/src')
      .flatMap(importsOf)
      .filter((one) => !isFile(one) && !one.to.startsWith('node:') && !/^certpin(?:\/|$)/.test(one.to));
    assert.deepEqual([...new Set(outside.map(({ to }) => to))].sort(), ['jsonc-parser', 'leven']);
  });
});

describe('every module', () => {
  const all = ['certpin', ...others].flatMap((name) => sourcesOf(`packages/${name}/src`));

  it('exports by name: no default export, no export of everything', () => {
    for (const file of all) {
      const code = withoutComments(read(file));
      assert.doesNotMatch(code, /^\s*export\s+default\b|\bas default\b/m, file);
      assert.doesNotMatch(code, /^\s*export\s+(?:type\s+)?\*/m, file);
    }
  });

  it('is named in kebab-case', () => {
    for (const file of all) assert.match(file, /^packages\/[a-z0-9/-]+\.[cm]?ts$/);
  });
});

describe('every subpath of the package', () => {
  const { exports } = JSON.parse(read('packages/certpin/package.json')) as {
    exports: Record<string, string | Record<'import' | 'require', Record<'types' | 'default', string>>>;
  };
  const subpaths = Object.entries(exports).filter(([subpath]) => subpath !== './package.json');

  for (const [subpath, conditions] of subpaths) {
    it(`has its source: ${subpath}`, () => {
      assert.ok(typeof conditions === 'object');
      const built = [
        conditions.import.default,
        conditions.import.types,
        conditions.require.default,
        conditions.require.types,
      ];
      const sources = built.map((file) =>
        file.replace(/^\.\/dist\/(?:esm|cjs)\//, '').replace(/(?:\.d\.ts|\.js)$/, '.ts'),
      );
      assert.equal(new Set(sources).size, 1, 'import and require, code and types are of one source');
      assert.ok(library.includes(`packages/certpin/src/${sources[0]}`), sources[0]);
      const name = subpath.slice(2) || 'index';
      assert.ok(
        [`${name}.ts`, `${name}/index.ts`, `adapters/${name}.ts`].includes(sources[0] ?? ''),
        `${subpath} is named after ${sources[0]}`,
      );
    });

    it(`has its page in the documentation: ${subpath}`, () => {
      const page = `docs/reference/${subpath.slice(2) || 'core'}.md`;
      assert.ok(existsSync(join(root, page)), `${page} is missing`);
    });
  }

  it('is every adapter', () => {
    const adapters = library
      .filter((file) => folderOf(file) === 'adapters')
      .map((file) => `./${/([^/]+)\.ts$/.exec(file)?.[1]}`);
    assert.deepEqual(
      adapters.filter((subpath) => !(subpath in exports)),
      [],
    );
  });
});
