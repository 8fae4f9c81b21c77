export { asTdsServer, type TdsPackets } from './tds-envelope.ts';
export { encryption, type TdsLogin } from './tds-messages.ts';
export { startTdsServer, type TdsServer, type TdsServerOptions } from './tds-server.ts';
