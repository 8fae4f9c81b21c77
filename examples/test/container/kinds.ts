import type { StatefulSet } from 'kubernetes-types/apps/v1.js';
import type { ConfigMap, Secret, Service } from 'kubernetes-types/core/v1.js';
import type { NetworkPolicy } from 'kubernetes-types/networking/v1.js';

/** The kinds of our manifests, as the API of Kubernetes defines them. */
export interface Kinds {
  readonly ConfigMap: ConfigMap;
  readonly NetworkPolicy: NetworkPolicy;
  readonly Secret: Secret;
  readonly Service: Service;
  readonly StatefulSet: StatefulSet;
}
