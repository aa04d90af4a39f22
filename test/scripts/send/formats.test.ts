import { describe, expect, it } from "vitest";
import { type Format, MAX_URL_BYTES, parseLine } from "../../../scripts/send/formats.ts";

function parse(line: string | Buffer, format: Format = "auto") {
  const parsed = parseLine(Buffer.from(line as string), format);
  return parsed.kind === "event"
    ? JSON.parse(parsed.json)
    : parsed.kind === "reject"
      ? parsed.error
      : parsed.kind;
}

const STAMP = "[17/May/2015:10:05:03 +0000]";
const TIME = Date.UTC(2015, 4, 17, 10, 5, 3);
const log = (request: string, stamp = STAMP, host = "192.0.2.1") =>
  `${host} - - ${stamp} "${request}" 200 2326`;

describe("an access log line", () => {
  it.each([
    ["common", log("GET /a?b=c HTTP/1.0")],
    ["combined", `${log("GET /a?b=c HTTP/1.1")} "http://example.com/" "Mozilla/5.0 (X; \\"Y\\")"`],
    ["cut short after the status", `${log("GET /a?b=c HTTP/1.1")} "http://exam`],
    ["with an IPv6 client", log("GET /a?b=c HTTP/2.0", STAMP, "2001:db8::1")],
    ["with a bracketed IPv6 client", log("GET /a?b=c HTTP/3", STAMP, "[2001:db8::1]")],
    ["with a virtual host", log("GET /a?b=c HTTP/1.1", STAMP, "example.com:443 192.0.2.1")],
    ["with a user with a space", `192.0.2.1 - Jo Doe ${STAMP} "GET /a?b=c HTTP/1.1" 200 -`],
    ["with a line end of Windows", `${log("GET /a?b=c HTTP/1.1")}\r`],
    ["with a byte order mark", `\uFEFF${log("GET /a?b=c HTTP/1.1")}`],
  ])("%s gives the request's target and the log's time", (_, line) => {
    expect(parse(line)).toEqual({ url: "/a?b=c", time: TIME });
  });

  it.each([
    ["+0200", -120],
    ["-0730", 450],
    ["+1400", -840],
    ["-0000", 0],
  ])("with the offset %s is taken to UTC", (offset, minutes) => {
    const { time } = parse(log("GET / HTTP/1.1", `[17/May/2015:10:05:03 ${offset}]`));
    expect(time - TIME).toBe(minutes * 60_000);
  });

  it("keeps the target exactly", () => {
    for (const url of [
      "/%7Eme/../x//?q=%00&&#f",
      "http://proxy.example/a",
      "*",
      "/\\x22",
      '/a\\"b',
      "/naïve/à",
    ]) {
      expect(parse(log(`GET ${url} HTTP/1.1`))).toEqual({ url, time: TIME });
    }
  });

  it("finds the end of a request with quotes in it, escaped or not", () => {
    expect(parse(log('GET /a"b"?c="d HTTP/1.1'))).toEqual({ url: '/a"b"?c="d', time: TIME });
    expect(parse(log("GET /a\\\\ HTTP/1.1"))).toEqual({ url: "/a\\\\", time: TIME });
    expect(parse(`192.0.2.1 - - ${STAMP} "GET /a HTTP/1.1\\" 200 1`)).toBe(
      "the request is not closed by a quote and a status",
    );
  });

  it("may have other bytes than UTF-8 anywhere but in the target", () => {
    const agent = Buffer.concat([
      Buffer.from(`${log("GET /a HTTP/1.1")} "-" "caf`),
      Buffer.from([0xe9, 0x22]),
    ]);
    expect(parse(agent)).toEqual({ url: "/a", time: TIME });
    expect(parse(Buffer.from(log("GET /caf\xe9 HTTP/1.1"), "latin1"))).toBe(
      "request target is not valid UTF-8",
    );
  });

  it.each([
    ["-", 'no request: "-"'],
    ["", 'no request: ""'],
    ["\\x16\\x03\\x01", 'malformed request: "\\x16\\x03\\x01"'],
    ["GET /a", 'malformed request: "GET /a"'],
    ["GET  HTTP/1.1", "request target is empty"],
    ["GET /a b HTTP/1.1", "request target has a space or a control character in it"],
    ["GET /a\u0007 HTTP/1.1", "request target has a space or a control character in it"],
    ["GET /a HTTP/one", 'malformed request: "GET /a HTTP/one"'],
    ["get /a HTTP/1.1", 'unknown method: "get"'],
    ["\u001b[31m /a HTTP/1.1", 'unknown method: "·[31m"'],
  ])("with the request %j is rejected", (request, error) => {
    expect(parse(log(request))).toBe(error);
  });

  it.each(["30/Feb/2015:10:05:03", "17/Mai/2015:10:05:03", "17/May/2015:24:05:03", "17/May/2015:10:60:03"])(
    "with the time %s is rejected",
    (time) => {
      expect(parse(log("GET / HTTP/1.1", `[${time} +0000]`))).toBe(`no such time: [${time} +0000]`);
    },
  );
});

describe("other lines", () => {
  it("are URLs", () => {
    expect(parse("/a?b=c")).toEqual({ url: "/a?b=c" });
    expect(parse("https://[2001:db8::1]:8443/a")).toEqual({ url: "https://[2001:db8::1]:8443/a" });
    expect(parse("a/b", "urls")).toEqual({ url: "a/b" });
    expect(parse("/a b")).toBe("URL has a space or a control character in it");
  });

  it("are JSON objects, sent as they stand", () => {
    expect(parse(' {"url":"/a","id":"7","time":"2015-05-17T10:05:03Z"}\r')).toEqual({
      ...{ url: "/a", id: "7", time: "2015-05-17T10:05:03Z" },
    });
    expect(parse('{"url":')).toBe("not valid JSON");
    expect(parse('["/a"]', "ndjson")).toBe("not a JSON object");
    expect(parse("null", "ndjson")).toBe("not a JSON object");
    expect(parse(Buffer.from('{"url":"/\xe9"}', "latin1"))).toBe("not valid UTF-8");
  });

  it("are blank", () => {
    for (const line of ["", "\r", " \t "]) expect(parse(line)).toBe("blank");
  });

  it("are nothing that it knows", () => {
    expect(parse("hello")).toBe("not an access log line, a JSON object or a URL (--format forces one)");
    expect(parse("/a", "log")).toBe("not an access log line");
  });

  it("are as long as a hostile client likes, in linear time", () => {
    expect(parse(`/${"a".repeat(MAX_URL_BYTES)}`)).toBe(`URL longer than ${MAX_URL_BYTES} bytes`);
    const started = performance.now();
    for (const filler of [" ", '"', "\\", '\\"', "[", "[17/May/2015:10:05:03 +0000", '" 200']) {
      const many = filler.repeat(262_144 / filler.length);
      for (const line of [many, `x${many}x`, log(many), log(`GET /${many} HTTP/1.1`)]) {
        for (const format of ["auto", "log", "ndjson", "urls"] as const) parse(line, format);
      }
    }
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
