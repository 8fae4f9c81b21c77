// Loaded before the test files: what they import of the packages' sources is taken from the compiled packages, file by file, and they
// themselves are taken as dev/tools/nodes.ts has transpiled them, once for every Node.
import * as nodeModule from 'node:module';
import { compiled, ofTests } from './compiled-hooks.mjs';

// Node 26 deprecates `register`, and Node 20 knows no other.
if ('registerHooks' in nodeModule) {
  nodeModule.registerHooks({
    resolve: (specifier, context, next) => compiled(next(specifier, context)),
    load: (url, context, next) => ofTests(url) ?? next(url, context),
  });
} else {
  nodeModule.register('./compiled-hooks.mjs', import.meta.url);
}
