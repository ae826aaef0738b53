import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';

/**
 * A shell that waits for the end of this process (the end of its input), then kills the process groups it was told of. It needs
 * nothing of the orchestrator, so it works after `kill -9` too.
 */
const SCRIPT = `
trap '' HUP INT TERM
groups=' '
while read -r what group; do
  case $what in
    +) groups="$groups$group " ;;
    -) case $groups in *" $group "*) groups="\${groups%%" $group "*} \${groups#*" $group "}" ;; esac ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
`;

/** Sees to it that no process group of a trial outlives this process, however it ends. Nothing on Windows, which has no groups. */
export class OrphanReaper {
  readonly #groups = new Set<number>();
  #shell: ChildProcess | undefined;

  add(group: number): void {
    this.#groups.add(group);
    if (this.#shell === undefined) this.#start();
    else this.#tell(`+ ${group}`);
  }

  /** Call it when the whole group is gone: its number may belong to another soon. */
  remove(group: number): void {
    if (this.#groups.delete(group)) this.#tell(`- ${group}`);
  }

  #tell(line: string): void {
    this.#shell?.stdin?.write(`${line}\n`);
  }

  #start(): void {
    if (process.platform === 'win32') return;
    const shell = spawn('/bin/sh', ['-c', SCRIPT, 'resweep-reaper'], {
      // Away from the group that Ctrl-C or a kill of the whole group reaches, and from a folder that may be unmounted.
      detached: true,
      cwd: '/',
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {},
    });
    this.#shell = shell;
    const gone = (): void => {
      if (this.#shell === shell) this.#shell = undefined;
    };
    shell.once('error', gone);
    shell.once('exit', gone);
    shell.stdin.on('error', gone);
    shell.unref();
    // The pipe alone must not keep this process alive.
    if (shell.stdin instanceof Socket) shell.stdin.unref();
    for (const group of this.#groups) this.#tell(`+ ${group}`);
  }
}

/** One for the process: a shell is started with the first trial. */
export const orphanReaper = new OrphanReaper();
