import { createRequire } from 'node:module';
import { runInThisContext } from 'node:vm';
import { type InlineClient, inlineBlock } from '@certpin/auth0';

/** What a pasted block gives to a script. It is evaluated in the body of a function, as in a script. */
export function blockOf<Block>(client: InlineClient): Block {
  const script = `(function (require) {\n${inlineBlock(client).text}\nreturn certpin;\n})`;
  return (runInThisContext(script) as (load: NodeJS.Require) => Block)(createRequire(import.meta.url));
}
