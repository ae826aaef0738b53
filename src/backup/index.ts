export type { BackupEvent, BackupLog } from './backup-event.js';
export { exportArchive, isArchiveFile, openArchive, type ExportReport } from './archive.js';
export { BackupCoordinator, type CoordinatorOptions, type FlushReport } from './backup-coordinator.js';
export type { BackupOptions, BackupResult, BackupToDrive, RestoreFromDrive } from './backup-options.js';
export { DestinationError, type Destination, type DestinationPolicy, type DestinationTraits } from './destination.js';
export type { DestinationStatus } from './destination-status.js';
export { createDestination, destinationKinds } from './destinations/destination-registry.js';
export type { DestinationContext, DestinationKind } from './destinations/destination-kind.js';
export { EncryptingDestination } from './encrypting-destination.js';
export { readEncryptionSecret } from './encryption-keys.js';
export { readOAuthClient, type OAuthClient } from './destinations/google-drive/oauth-client.js';
export { signInWithGoogle, type SignIn, type SignInOptions } from './destinations/google-drive/sign-in.js';
export { FolderDestination } from './destinations/folder-destination.js';
export { backUpStudyFolder, createDrive, type Drive } from './drive.js';
export type { DriveOptions } from './drive-core.js';
export { DrivePathError, driveMountOf, isDrivePath } from './drive-path.js';
export { backupHpoStudyToDrive } from './hpo-study-backup.js';
export { ensureRestoredFromDrive, immediateBackupIfNeeded } from './immediate-backup.js';
export { newerBackup, type NewerBackup } from './newer-backup.js';
export {
  combineCallbacks,
  createIncrementalBackupCallback,
  createStudyDbBackupCallback,
  type TrialCallback,
} from './incremental-callback.js';
export { destinationsIn, listBackups, type BackupList, type ListedBackup } from './list-backups.js';
export type { OwnerConflict } from './owner-fence.js';
export { pruneBackups, type PrunedDestination, type PruneOptions, type PruneReport } from './prune.js';
export { repairBackups, type Repaired, type RepairReport } from './repair.js';
export { parseManifestName } from './manifest.js';
export { DEFAULT_RETENTION, planRetention } from './retention.js';
export type { RestoreProgress } from './restore-file.js';
export { isThere, type RestoreResult, type RestoreStatus } from './restore-result.js';
export { RetryingDestination, type RetryOptions } from './retrying-destination.js';
export { SafeElsewhere, type LocalFile } from './safe-elsewhere.js';
export { setupCheckpointStorage, type CheckpointStorage } from './setup-checkpoint-storage.js';
export { findStudyFolder } from './study-folder.js';
export type { Damage } from './damage.js';
export { verifyBackups, type VerifyOptions, type VerifyReport } from './verify.js';
