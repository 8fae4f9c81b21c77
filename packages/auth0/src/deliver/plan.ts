import { readCredentials, readDomain } from '../tenant/credentials.ts';
import { Management, type ManagementOptions } from '../tenant/management.ts';
import { TenantError } from '../tenant/tenant-error.ts';
import { planAction } from './action-step.ts';
import { planCommand } from './command-step.ts';
import { planConnection } from './connection-step.ts';
import type { Context } from './context.ts';
import { DeliverError } from './deliver-error.ts';
import { planFiles } from './file-step.ts';
import { readLearned } from './learned.ts';
import { findOwner } from './owner.ts';
import { describePlace, type Step, type Wish } from './wish.ts';

/** A place that this push does not write. */
interface Elsewhere extends Wish {
  readonly why: 'elsewhere' | 'left-to-owner' | 'not-run';
  readonly reason: string;
}

/** What there is to do, before any of it is done. */
export interface Plan {
  /** In this order. */
  readonly steps: readonly Step[];
  readonly elsewhere: readonly Elsewhere[];
  /** Why it is not begun. */
  readonly refusals: readonly (DeliverError | TenantError)[];
  /** The tenant. undefined: no place is in one. */
  readonly management: Management | undefined;
}

export interface PlanOptions extends ManagementOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly allowCommands: boolean;
  /** Write by the API although another tool owns the tenant. */
  readonly ownerIsNone: boolean;
}

/** Reads every place. Nothing is written. @throws TenantError `ERR_CREDENTIALS` */
export async function makePlan(context: Context, wishes: readonly Wish[], options: PlanOptions): Promise<Plan> {
  const elsewhere: Elsewhere[] = [];
  const refusals: (DeliverError | TenantError)[] = [];
  const ofTenant: Wish[] = [];
  const domain = readDomain(options.env);
  const owner = options.ownerIsNone ? undefined : findOwner(context.document.path);
  for (const wish of wishes) {
    const { place, entry } = wish;
    if (!('tenant' in place)) continue;
    if (owner !== undefined) {
      const reason = `${owner.tool} writes it (${owner.evidence}): its next run would put the old pins back`;
      const hasFile = entry.deliver.some((one) => one.kind === 'file' && one.format === owner.format);
      elsewhere.push({ ...wish, why: 'left-to-owner', reason });
      if (hasFile) continue;
      const example = `{ "kind": "file", "path": "…", "format": "${owner.format}", "key": "…" }`;
      const message = `${describePlace(place)}: ${reason}. Deliver to its file instead: ${example}; or say --owner none`;
      refusals.push(new DeliverError('ERR_OWNER', message, place));
    } else if (domain !== undefined && place.tenant !== domain) {
      elsewhere.push({ ...wish, why: 'elsewhere', reason: `the credentials are those of ${domain}` });
    } else ofTenant.push(wish);
  }
  const files = wishes.filter(({ place }) => place.kind === 'file');
  const commands = wishes.filter(({ place }) => place.kind === 'command');
  const management = ofTenant.length === 0 ? undefined : new Management(readCredentials(options.env), options);
  const steps: Step[] = [];
  if (management !== undefined) {
    const learned = readLearned(context.document.path, management.credentials.domain);
    const inTenant = { ...context, management, learned };
    for (const { name, plan, wishes } of groupByResource(ofTenant)) {
      try {
        steps.push(await plan(inTenant, name, wishes));
      } catch (error) {
        if (!(error instanceof TenantError) || error.code === 'ERR_CREDENTIALS') throw error;
        refusals.push(error);
        const standing = { how: 'unknown', reason: error.message } as const;
        const items = wishes.map((wish) => ({ ...wish, standing }));
        steps.push({ name, items, refusals: [], snapshot: null, login: undefined, write: async () => [] });
      }
    }
  }
  steps.push(...planFiles(context, files));
  for (const wish of commands) {
    if (options.allowCommands) steps.push(planCommand(context, wish));
    else elsewhere.push({ ...wish, why: 'not-run', reason: 'commands run only with --allow-commands' });
  }
  return { steps, elsewhere, refusals: [...refusals, ...steps.flatMap((step) => step.refusals)], management };
}

interface Resource {
  readonly name: string;
  readonly plan: typeof planConnection;
  readonly wishes: Wish[];
}

/** A connection or an Action is written once. */
function groupByResource(wishes: readonly Wish[]): readonly Resource[] {
  const groups = new Map<string, Resource>();
  for (const wish of wishes) {
    const { place } = wish;
    const name = 'connection' in place ? place.connection : 'action' in place ? place.action : '';
    const plan = 'connection' in place ? planConnection : planAction;
    const key = `${plan === planConnection} ${name}`;
    const group = groups.get(key) ?? { name, plan, wishes: [] };
    group.wishes.push(wish);
    groups.set(key, group);
  }
  return [...groups.values()];
}
