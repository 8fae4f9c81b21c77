// Loaded before the test files: what they import of the library's sources is taken from the compiled library, file by file.
import * as nodeModule from 'node:module';
import { compiled } from './compiled-hooks.mjs';

// Node 26 deprecates `register`, and Node 20 knows no other.
if ('registerHooks' in nodeModule) {
  nodeModule.registerHooks({ resolve: (specifier, context, next) => compiled(next(specifier, context)) });
} else {
  nodeModule.register('./compiled-hooks.mjs', import.meta.url);
}
