// Loaded before the test files. What they import of the packages' sources is taken from the compiled packages, file by file. The tests
// themselves are those that dev/tools/nodes.ts has compiled, once for all Nodes.
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
