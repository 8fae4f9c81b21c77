import { type Alert, toAlert, toAlerts, toOwnAlert } from '../alerts.ts';
import { type Place, post } from '../post.ts';
import type { Outcome, Receiver } from '../receiver.ts';

export interface AlertmanagerOptions {
  readonly name: string;
  /** Of its API, `/api/v2/alerts`. */
  readonly place: Place;
  readonly readHeaders: () => Readonly<Record<string, string>>;
  readonly source: string;
}

/** In one request. */
const MOST_ALERTS = 500;

const nothing: Outcome = { result: 'delivered', detail: 'there is nothing to say' };

/**
 * Prometheus' Alertmanager, API v2. It groups, repeats and mutes alerts itself. So it gets no reminders, but is told every minute what is
 * still true.
 */
export function createAlertmanager({ name, place, readHeaders, source }: AlertmanagerOptions): Receiver {
  const send = async (alerts: readonly Alert[], signal: AbortSignal): Promise<Outcome> => {
    if (alerts.length === 0) return nothing;
    const headers = { 'content-type': 'application/json', ...readHeaders() };
    return post(place, { headers, body: JSON.stringify(alerts) }, signal);
  };
  return {
    name,
    capacity: MOST_ALERTS / 2, // A change from one trouble to another is two alerts.
    deliver: (message, form, signal) => send(toAlerts(message, { form, source, now: Date.now() }), signal),
    repeat: async ({ troubles, own }, signal) => {
      let outcome = await send(
        own.map((trouble) => toOwnAlert(trouble, source, Date.now())),
        signal,
      );
      let alerts: Alert[] = [];
      for await (const trouble of troubles) {
        if (outcome.result !== 'delivered') return outcome;
        alerts.push(toAlert(trouble, 'whole', Date.now()));
        if (alerts.length < MOST_ALERTS) continue;
        outcome = await send(alerts, signal);
        alerts = [];
      }
      return outcome.result === 'delivered' ? send(alerts, signal) : outcome;
    },
  };
}
