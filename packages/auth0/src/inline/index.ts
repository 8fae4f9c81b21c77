export { type InlineBlock, type InlineClient, inlineBlock, inlineClients } from './block.ts';
export { type BlockUpdate, insertBlock, updateBlocks } from './insert.ts';
export { type InlineFinding, verifyInline } from './verify.ts';
