import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const kinds = fileURLToPath(new URL('kinds.ts', import.meta.url));
const written = fileURLToPath(new URL('manifests.ts', import.meta.url)); // in memory alone

/**
 * What is wrong with manifests by the types of the API of Kubernetes: a key that is unknown or missing, a value of another type. The
 * compiler finds it, for each manifest is written down as a literal of its type.
 */
export function checkManifests(manifests: readonly { readonly kind: string }[]): readonly string[] {
  const lines = manifests.map(
    (manifest, index) => `export const m${index}: Kinds['${manifest.kind}'] = ${JSON.stringify(manifest, null, 1)};`,
  );
  const text = `import type { Kinds } from './kinds.ts';\n${lines.join('\n')}\n`;
  const options: ts.CompilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, allowImportingTsExtensions: true, types: [] },
    ...{ module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022 },
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (path) => path === written || fileExists(path);
  host.readFile = (path) => (path === written ? text : readFile(path));
  host.getSourceFile = (path, ...rest) =>
    path === written ? ts.createSourceFile(path, text, ts.ScriptTarget.ES2022) : getSourceFile(path, ...rest);
  const program = ts.createProgram([written, kinds], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
