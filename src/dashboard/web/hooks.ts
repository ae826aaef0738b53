import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

import type { LiveChange } from '../api-types.js';
import { api } from './api.js';

/** Parts of the address after `#`. */
export function useRoute(): readonly string[] {
  const [parts, setParts] = useState(routeParts);
  useEffect(() => {
    const update = (): void => {
      setParts(routeParts());
      scrollTo(0, 0);
    };
    addEventListener('hashchange', update);
    return () => {
      removeEventListener('hashchange', update);
    };
  }, []);
  return parts;
}

function routeParts(): string[] {
  return location.hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decodeURIComponent);
}

export interface Loaded<T> {
  readonly value: T | undefined;
  readonly error: Error | undefined;
  readonly loading: boolean;
  /** Takes a value that is known already, such as the answer to a change. */
  readonly set: (value: T) => void;
}

/**
 * Loads something, again when one of `keys` changes, but nothing while it is not `wanted`. The old value stays until the new one is
 * there; it goes at once where the first key changes, which says what is loaded.
 */
export function useLoaded<T>(
  load: (signal: AbortSignal) => Promise<T>,
  keys: readonly unknown[],
  wanted = true,
): Loaded<T> {
  const [state, setState] = useState<{
    key: unknown;
    value?: T | undefined;
    error?: Error | undefined;
    loading: boolean;
  }>({
    key: keys[0],
    loading: true,
  });
  // Asked for at once, not only after the next frame: whoever clicks waits for the answer.
  useLayoutEffect(() => {
    if (!wanted) return undefined;
    const controller = new AbortController();
    setState((before) => (before.key === keys[0] ? { ...before, loading: true } : { key: keys[0], loading: true }));
    load(controller.signal).then(
      (value) => {
        if (!controller.signal.aborted) setState({ key: keys[0], value, loading: false });
      },
      (error: unknown) => {
        if (controller.signal.aborted) return;
        setState((before) => ({
          ...before,
          loading: false,
          error: error instanceof Error ? error : new Error(String(error)),
        }));
      },
    );
    return () => {
      controller.abort();
    };
  }, [...keys, wanted]);
  const { value, error, loading } =
    state.key === keys[0] ? state : { value: undefined, error: undefined, loading: true };
  return { value, error, loading, set: (next) => setState({ key: keys[0], value: next, loading: false }) };
}

/** Grows when a study changes, at most every second and a half; `lost` while the server does not answer. */
export function useLive(id: string | undefined): { readonly revision: number; readonly lost: boolean } {
  const [state, setState] = useState({ revision: 0, lost: false });
  useEffect(() => {
    if (id === undefined) return undefined;
    const source = new EventSource(api.livePath(id));
    let waiting: number | undefined;
    let newest = 0;
    source.addEventListener('change', (event) => {
      newest = (JSON.parse((event as MessageEvent<string>).data) as LiveChange).revision;
      waiting ??= window.setTimeout(() => {
        waiting = undefined;
        setState({ revision: newest, lost: false });
      }, 1_000);
    });
    source.addEventListener('lost', () => setState((before) => ({ ...before, lost: true })));
    source.onerror = () => setState((before) => ({ ...before, lost: true }));
    source.onopen = () => setState((before) => ({ ...before, lost: false }));
    return () => {
      source.close();
      clearTimeout(waiting);
    };
  }, [id]);
  return state;
}

/** A value that changes at most every so many milliseconds; the newest always arrives. */
export function useCalm<T>(value: T, milliseconds: number): T {
  const [calm, setCalm] = useState(value);
  const changedAt = useRef(0);
  useEffect(() => {
    if (value === calm) return undefined;
    const take = (): void => {
      changedAt.current = performance.now();
      setCalm(value);
    };
    const left = changedAt.current + milliseconds - performance.now();
    if (left <= 0) {
      take();
      return undefined;
    }
    const timer = setTimeout(take, left);
    return () => {
      clearTimeout(timer);
    };
  }, [value, calm, milliseconds]);
  return calm;
}

/** Grows every so many milliseconds, while the page is seen. */
export function useTicks(milliseconds: number): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setCount((before) => before + 1);
    }, milliseconds);
    return () => {
      clearInterval(timer);
    };
  }, [milliseconds]);
  return count;
}

/** Pixels around the screen within which something is got ready. */
const NEAR = 240;

/** Whether an element is on the screen or nearly; stays so once it was. On paper everything is. */
export function useNear(ref: { readonly current: Element | null }): boolean {
  const [isNear, setNear] = useState(false);
  useLayoutEffect(() => {
    const element = ref.current;
    if (isNear || element === null) return undefined;
    const note = (): void => setNear(true);
    // At once for what one sees; the observer tells it a frame later.
    if (element.getBoundingClientRect().top < innerHeight + NEAR) note();
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) note();
      },
      { rootMargin: `${NEAR}px 0px` },
    );
    observer.observe(element);
    addEventListener('beforeprint', note);
    return () => {
      observer.disconnect();
      removeEventListener('beforeprint', note);
    };
  }, [isNear]);
  return isNear;
}

/** Width of an element in pixels, 0 before it is known. */
export function useWidth(): [{ current: HTMLDivElement | null }, number] {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return undefined;
    setWidth(element.clientWidth);
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  }, []);
  return [ref, width];
}

export type ThemeChoice = 'auto' | 'light' | 'dark';

const dark = matchMedia('(prefers-color-scheme: dark)');

/** Which colours are in force; the choice is kept in this browser. */
export function useTheme(): {
  readonly name: 'light' | 'dark';
  readonly choice: ThemeChoice;
  choose(choice: ThemeChoice): void;
} {
  const [choice, setChoice] = useState<ThemeChoice>(() => {
    const kept = localStorage.getItem('resweep-theme');
    return kept === 'light' || kept === 'dark' ? kept : 'auto';
  });
  const [isDark, setDark] = useState(dark.matches);
  useEffect(() => {
    const update = (): void => setDark(dark.matches);
    dark.addEventListener('change', update);
    return () => {
      dark.removeEventListener('change', update);
    };
  }, []);
  const name = choice === 'auto' ? (isDark ? 'dark' : 'light') : choice;
  useLayoutEffect(() => {
    document.documentElement.dataset['theme'] = name;
  }, [name]);
  return {
    name,
    choice,
    choose: (next) => {
      localStorage.setItem('resweep-theme', next);
      setChoice(next);
    },
  };
}
