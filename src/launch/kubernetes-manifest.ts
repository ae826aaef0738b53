import { UsageError } from '../core/errors.js';
import type { KubernetesOptions } from './kubernetes-schema.js';
import { launchName, type LaunchRequest } from './launcher.js';
import { attendFunctions, prelude, stagesLine, STORAGE_VARIABLE } from './worker-script.js';

/** Label by which the pods of a launch are found. */
export const LAUNCH_LABEL = 'resweep/launch';
/** Key of the secret that holds the storage's URL. */
export const SECRET_KEY = 'storage-url';

/**
 * An Indexed Job (batch/v1): one index for each worker, each with its own number of retries; pods that were evicted, preempted or
 * drained do not count as failures, and wrong use (exit code 2) is not tried again. Index 0 goes on with the stages.
 * @throws UsageError where no image is named
 */
export function kubernetesJob(request: LaunchRequest): Readonly<Record<string, unknown>> {
  const options = request.options as unknown as KubernetesOptions;
  const { namespace, retries, ttl } = options;
  if (options.image === undefined) {
    throw new UsageError('Nothing names the image of the workers.', {
      hint: 'launch: {kubernetes: {image: REGISTRY/NAME:TAG}}; the Dockerfile of resweep makes one',
    });
  }
  const labels = {
    'app.kubernetes.io/name': 'resweep',
    'resweep/study8': request.study8,
    [LAUNCH_LABEL]: request.id,
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: launchName(request), ...(namespace === undefined ? {} : { namespace }), labels },
    spec: {
      completionMode: 'Indexed',
      completions: request.workers,
      parallelism: request.workers,
      backoffLimitPerIndex: retries,
      // A worker that fails for good is no reason to end the others.
      maxFailedIndexes: request.workers,
      podFailurePolicy: {
        rules: [
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          { action: 'FailIndex', onExitCodes: { containerName: 'worker', operator: 'In', values: [2] } },
        ],
      },
      ttlSecondsAfterFinished: Math.round(ttl / 1000),
      template: { metadata: { labels }, spec: podSpec(request, options) },
    },
  };
}

function podSpec(request: LaunchRequest, options: KubernetesOptions): Readonly<Record<string, unknown>> {
  const { serviceAccount, priorityClass, pullSecret, nodeSelector, tolerations, volumes, grace } = options;
  return {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: Math.round(grace / 1000),
    automountServiceAccountToken: serviceAccount !== undefined,
    ...(serviceAccount === undefined ? {} : { serviceAccountName: serviceAccount }),
    ...(priorityClass === undefined ? {} : { priorityClassName: priorityClass }),
    ...(pullSecret === undefined ? {} : { imagePullSecrets: [{ name: pullSecret }] }),
    ...(Object.keys(nodeSelector).length === 0 ? {} : { nodeSelector }),
    ...(tolerations.length === 0 ? {} : { tolerations }),
    securityContext: { runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 },
    volumes: [
      { name: 'outputs', emptyDir: {} },
      ...volumes.map(({ claim }, i) => ({ name: `volume-${i}`, persistentVolumeClaim: { claimName: claim } })),
    ],
    containers: [container(request, options)],
  };
}

function container(request: LaunchRequest, options: KubernetesOptions): Readonly<Record<string, unknown>> {
  const { cpu, memory, gpus, gpuResource, folder, volumes, secrets } = options;
  const accelerators = gpus === undefined ? {} : { [gpuResource]: String(gpus) };
  return {
    name: 'worker',
    image: options.image,
    workingDir: folder,
    command: ['/bin/sh', '-c', podScript(request, options)],
    env: [
      { name: 'RESWEEP_ENVIRONMENT', value: 'kubernetes' },
      { name: STORAGE_VARIABLE, valueFrom: { secretKeyRef: { name: options.secret, key: SECRET_KEY } } },
    ],
    ...(secrets.length === 0 ? {} : { envFrom: secrets.map((name) => ({ secretRef: { name } })) }),
    resources: { requests: { cpu, memory, ...accelerators }, limits: { memory, ...accelerators } },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    volumeMounts: [
      { name: 'outputs', mountPath: `${folder.replace(/\/$/, '')}/outputs` },
      ...volumes.map(({ path }, i) => ({ name: `volume-${i}`, mountPath: path })),
    ],
  };
}

function podScript(request: LaunchRequest, options: KubernetesOptions): string {
  const own: LaunchRequest = {
    ...request,
    options: { env: { ...options.env }, setup: [], command: ['resweep'] },
  };
  const stages =
    own.stages.length === 0 ? [] : [`[ "$code" -ne 0 ] || [ "$JOB_COMPLETION_INDEX" != 0 ] || { ${stagesLine(own)}; }`];
  return [...prelude(own, options.folder), ...attendFunctions(own), 'worker', ...stages, 'exit "$code"', ''].join('\n');
}
