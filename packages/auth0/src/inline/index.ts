export { type InlineBlock, type InlineClient, inlineBlock, inlineClients } from './block.ts';
export { type BlockUpdate, insertBlock, updateBlocks } from './insert.ts';
export type { BlockState } from './state.ts';
export type { Problem } from './surroundings/scene.ts';
export { type InlineFinding, type SurroundingsState, verifyInline } from './verify.ts';
export { type VerifiedFile, verifyFile, verifyFiles } from './verify-file.ts';
