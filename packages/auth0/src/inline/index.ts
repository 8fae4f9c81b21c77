export { type InlineBlock, type InlineClient, inlineBlock, inlineClients } from './block.ts';
export { type InlineFinding, verifyInline } from './verify.ts';
