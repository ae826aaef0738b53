export type { BackupEvent, BackupLog, VerificationFinding } from './backup-event.js';
export type { BackupOptions, BackupResult, BackupToDrive, RestoreFromDrive } from './backup-options.js';

export { DrivePathError, driveMountOf, isDrivePath } from './files/drive-path.js';

export {
  DestinationError,
  type Destination,
  type DestinationPolicy,
  type DestinationTraits,
} from './destinations/destination.js';
export type { DestinationContext, DestinationKind } from './destinations/destination-kind.js';
export { createDestination, destinationKinds } from './destinations/destination-registry.js';
export { FolderDestination } from './destinations/folder/folder-destination.js';
export { readOAuthClient, type OAuthClient } from './destinations/google-drive/oauth-client.js';
export { signInWithGoogle, type SignIn, type SignInOptions } from './destinations/google-drive/sign-in.js';
export { RetryingDestination, type RetryOptions } from './destinations/retrying-destination.js';
export { EncryptingDestination } from './encryption/encrypting-destination.js';
export { readEncryptionSecret } from './encryption/encryption-keys.js';

export { parseManifestName } from './format/manifest.js';

export { backUpStudyFolder, createDrive, type Drive } from './drive/drive.js';
export type { DriveOptions } from './drive/drive-core.js';
export type { RestoreProgress } from './restore/restore-file.js';
export { isThere, type RestoreResult, type RestoreStatus } from './restore/restore-result.js';

export { BackupCoordinator, type CoordinatorOptions, type FlushReport } from './sweep/backup-coordinator.js';
export type { DestinationStatus } from './sweep/destination-status.js';
export type { OwnerConflict } from './ownership/owner-fence.js';

export { MISSING, type Damage } from './verify/damage.js';
export { destinationsIn, listBackups, type BackupList, type ListedBackup } from './verify/list-backups.js';
export { SafeElsewhere, type LocalFile } from './verify/safe-elsewhere.js';
export { verifyBackups, type VerifyOptions, type VerifyReport } from './verify/verify.js';
export { repairBackups, type Repaired, type RepairReport } from './repair/repair.js';
export { pruneBackups, type PrunedDestination, type PruneOptions, type PruneReport } from './retention/prune.js';
export { DEFAULT_RETENTION, planRetention } from './retention/retention.js';
export { exportArchive, isArchiveFile, openArchive, type ExportReport } from './archive/archive.js';

export { backupHpoStudyToDrive } from './stages/hpo-study-backup.js';
export { ensureRestoredFromDrive, immediateBackupIfNeeded } from './stages/immediate-backup.js';
export {
  combineCallbacks,
  createIncrementalBackupCallback,
  createStudyDbBackupCallback,
  type TrialCallback,
} from './stages/incremental-callback.js';
export { newerBackup, type NewerBackup } from './stages/newer-backup.js';
export { setupCheckpointStorage, type CheckpointStorage } from './stages/setup-checkpoint-storage.js';
export { findStudyFolder } from './stages/study-folder.js';
