import { messageOf } from '../../../core/errors.js';
import { MlflowApi } from '../../../tracking/mlflow-api.js';
import type { DoctorCheck } from '../check.js';

/** Whether the experiment trackers of the configuration answer. */
export const trackersCheck: DoctorCheck = {
  name: 'trackers',
  title: 'Experiment trackers',
  check: async ({ sweep }) => {
    const mlflow = sweep?.config.track.mlflow;
    if (sweep === undefined || mlflow === undefined) return [];
    const api = new MlflowApi(mlflow.url);
    try {
      await api.post('experiments/search', { max_results: 1 });
      return { state: 'good', summary: `MLflow answers at ${api.location}.` };
    } catch (error) {
      return {
        // A sweep goes on without it.
        state: 'warning',
        summary: sweep.loaded.redact(messageOf(error)),
        hint: 'Start it (mlflow server), or mend track.mlflow.url; see docs/tracking.md',
      };
    }
  },
};
