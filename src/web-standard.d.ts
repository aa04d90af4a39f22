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
  readonly subtle: {
    digest(algorithm: "SHA-256", data: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
    importKey(
      format: "raw",
      key: Uint8Array<ArrayBuffer>,
      algorithm: { name: "HMAC"; hash: "SHA-256" },
      extractable: boolean,
      usages: "sign"[],
    ): Promise<CryptoKey>;
    sign(algorithm: "HMAC", key: CryptoKey, data: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
  };
};
interface CryptoKey {
  readonly type: string;
}

/** Base64 to and from strings of one character per byte. */
declare function atob(base64: string): string;
declare function btoa(bytes: string): string;

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

declare function setInterval(callback: () => void, delay?: number): TimerHandle;
declare function clearInterval(handle: TimerHandle | undefined): void;

interface AbortSignal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
}
declare var AbortSignal: { timeout(ms: number): AbortSignal };

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

interface ReadableStream<T = Uint8Array<ArrayBuffer>> {
  getReader(): {
    read(): Promise<{ done: false; value: T } | { done: true; value?: T | undefined }>;
    cancel(): Promise<void>;
  };
  pipeThrough<U>(transform: GenericTransform<U>): ReadableStream<U>;
  cancel(): Promise<void>;
}
interface GenericTransform<T> {
  readonly readable: ReadableStream<T>;
}
declare var CompressionStream: { new (format: "gzip"): GenericTransform<Uint8Array<ArrayBuffer>> };
declare var DecompressionStream: { new (format: "gzip"): GenericTransform<Uint8Array<ArrayBuffer>> };

interface Response {
  readonly status: number;
  readonly ok: boolean;
  readonly headers: { get(name: string): string | null };
  readonly body: ReadableStream | null;
  arrayBuffer(): Promise<ArrayBuffer>;
}
declare var Response: { new (body: string | Uint8Array<ArrayBuffer> | ReadableStream): Response };

declare function fetch(
  url: string,
  init?: {
    method?: string;
    headers?: Record<string, string>;
    body?: string;
    redirect?: "follow" | "manual";
    signal?: AbortSignal;
  },
): Promise<Response>;
