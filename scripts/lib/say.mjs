const colours = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code, text) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);

export const bold = (text) => paint(1, text);
export const dim = (text) => paint(2, text);
export const green = (text) => paint(32, text);
export const red = (text) => paint(31, text);
export const yellow = (text) => paint(33, text);

export function say(text = '') {
  process.stdout.write(`${text}\n`);
}

/** `0.4 s`, `38 s`, `2 min 5 s`. */
export function duration(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/**
 * Shows that a long step is alive: a line that counts on a terminal, else one line every 15 s.
 * `label` is asked anew each time. Returns the function that ends it.
 */
export function ticker(label) {
  const start = Date.now();
  const show = () => {
    const text = `  ${label()} … ${duration(Date.now() - start)}`;
    if (process.stdout.isTTY) process.stdout.write(`\r\u001b[2K${dim(text)}`);
    else say(text);
  };
  const timer = setInterval(show, process.stdout.isTTY ? 500 : 15_000);
  return () => {
    clearInterval(timer);
    if (process.stdout.isTTY) process.stdout.write('\r\u001b[2K');
  };
}
