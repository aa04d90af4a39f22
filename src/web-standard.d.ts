/**
 * The few web-standard globals that the engine may use: they exist in workerd, in Node and in browsers alike.
 *
 * Only `tsconfig.core.json` reads this file; elsewhere the platform's own types are in force. What is missing here is
 * missing on purpose: time comes from a `Clock`, storage from a `StateStore`, transport from an `EventQueue`.
 */

interface TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>;
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number };
}
declare var TextEncoder: { new (): TextEncoder };

interface TextDecoder {
  decode(input?: ArrayBuffer | ArrayBufferView): string;
}
declare var TextDecoder: {
  new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder;
};

declare var crypto: {
  getRandomValues<T extends ArrayBufferView>(array: T): T;
  randomUUID(): `${string}-${string}-${string}-${string}-${string}`;
};

declare var performance: { now(): number };

declare var console: Record<"debug" | "info" | "log" | "warn" | "error", (...data: unknown[]) => void>;

declare function structuredClone<T>(value: T): T;
declare function queueMicrotask(callback: () => void): void;

/** Its type differs between platforms: keep it as `ReturnType<typeof setTimeout>`. */
interface TimerHandle {
  readonly timerHandle: unique symbol;
}
declare function setTimeout(callback: () => void, delay?: number): TimerHandle;
declare function clearTimeout(handle: TimerHandle | undefined): void;

interface URL {
  readonly href: string;
  readonly origin: string;
  readonly host: string;
  readonly hostname: string;
  readonly pathname: string;
  readonly search: string;
  readonly hash: string;
}
declare var URL: {
  new (url: string, base?: string): URL;
  canParse(url: string, base?: string): boolean;
};
