// Numbers and hashes as people read them.

const plain = new Intl.NumberFormat("en");

export function count(value: number | bigint): string {
  return plain.format(value);
}

// 33278761 -> "33.3 M"
export function short(value: number | bigint): string {
  const number = Number(value);
  for (const [unit, size] of [["T", 1e12], ["B", 1e9], ["M", 1e6], ["K", 1e3]] as const) {
    if (number >= size) return `${(number / size).toPrecision(3)} ${unit}`;
  }
  return plain.format(number);
}

export function bytes(value: number | bigint): string {
  const number = Number(value);
  for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["KB", 1e3]] as const) {
    if (number >= size) return `${(number / size).toPrecision(3)} ${unit}`;
  }
  return `${number} bytes`;
}

// A trillion cycles is one XDR: src/runtime/config.h, usd_per_trillion_e6.
const kDollarsPerCycle = 1.36643e-12;

export function dollars(cycles: bigint): string {
  const amount = Number(cycles) * kDollarsPerCycle;
  if (amount === 0) return "$0";
  if (amount >= 0.01) return `$${amount.toFixed(2)}`;
  return `$${amount.toFixed(1 - Math.floor(Math.log10(amount)))}`;
}

// The beginning and end of a hash or principal.
export function abbreviated(text: string): string {
  return text.length <= 16 ? text : `${text.slice(0, 8)}…${text.slice(-5)}`;
}

export function hex(data: Uint8Array | number[]): string {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function plural(value: number, word: string): string {
  return `${count(value)} ${word}${value === 1 ? "" : "s"}`;
}
