export { type Addresses, startAddresses } from './addresses.ts';
export { stopClock } from './clock.ts';
export { mintWithHiddenKey } from './hidden-key.ts';
export { isLong, longOnly, sampleOf } from './long.ts';
export { certificateHex, type Minted, type MintOptions, mint, publicKeyPin } from './mint.ts';
export { called, type Failure, failureOf } from './promises.ts';
export { runToEnd } from './run-to-end.ts';
export { type ScriptedServer, startScriptedServer, startTap } from './scripted.ts';
export {
  type CountingServer,
  type CountingServerOptions,
  credentials,
  startHttp2Server,
  startHttpsRedirect,
  startHttpsServer,
  startTlsServer,
} from './tls-server.ts';
export { startUpgradeServer, type UpgradeScript } from './upgrade-script.ts';
export { asPlainDuplex } from './wire.ts';
