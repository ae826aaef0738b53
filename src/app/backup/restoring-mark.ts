/** Lies in a study's folder while the rest of it is being restored: whoever finds it completes the folder first. */
export const RESTORING_MARK = '.restoring';
