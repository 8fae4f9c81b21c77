import type { Pin } from '../leaf/pin.ts';
import { type ParsedPins, type PinInput, parsePinSources } from './parse-pin.ts';

// Symbol.for, so that the ESM and the CommonJS copy of this file recognise each other's objects.
const brand: unique symbol = Symbol.for('certpin.live-pins') as never;

/** A pin set that can be replaced while clients use it: wherever a policy takes `pins` or `issuerPins`, it takes one of these. */
export interface LivePins {
  /** The pins that count now. */
  readonly pins: readonly Pin[];
  /**
   * Replaces the set. New connections are judged by the new set at once. Open connections are judged again. If one is refused, it is closed
   * with the error of the refusal.
   *
   * @throws CertpinError `ERR_PIN_INVALID`; the old set then stays in use
   */
  set(pins: PinInput): void;
  /** @internal what a policy reads */
  readonly [brand]: LiveState;
}

interface LiveState {
  readonly parsed: () => ParsedPins;
  /** Whether `pins` is a list that this set is, or once was. A copy of a policy holds the list of the moment when it was copied. */
  readonly gave: (pins: unknown) => boolean;
  /** @returns a function that ends the subscription */
  readonly onChange: (listener: () => void) => () => void;
}

/**
 * Makes a pin set that can be replaced at run time, for example when a secret store tells of a change.
 *
 * ```ts
 * import { livePins } from 'certpin';
 * import { pinnedAgent } from 'certpin/https';
 * const pins = livePins(await readSecret('API_PINS'));
 * const agent = pinnedAgent({ pins, keepAlive: true });
 * onSecretChange('API_PINS', (text) => pins.set(text));
 * ```
 *
 * @throws CertpinError `ERR_PIN_INVALID`
 */
export function livePins(initial: PinInput): LivePins {
  let parsed = parsePinSources(initial);
  const given = new WeakSet<object>([parsed.pins]);
  const listeners = new Set<() => void>();
  return Object.freeze({
    get pins() {
      return parsed.pins;
    },
    set(pins: PinInput) {
      parsed = parsePinSources(pins);
      given.add(parsed.pins);
      // A listener that closes a connection also ends its own subscription. The copy of the list keeps this round complete.
      for (const listener of [...listeners]) listener();
    },
    [brand]: {
      parsed: () => parsed,
      gave: (pins: unknown) => given.has(pins as object),
      onChange: (listener: () => void) => {
        // Wrapped, so that the same function can be subscribed twice.
        const own = () => listener();
        listeners.add(own);
        return () => listeners.delete(own);
      },
    },
  });
}

/** The live pin set behind an input of a policy. undefined: the input is not live. */
export function liveStateOf(input: PinInput | LivePins): LiveState | undefined {
  return typeof input === 'object' && input !== null && Object.hasOwn(input, brand)
    ? (input as LivePins)[brand]
    : undefined;
}
