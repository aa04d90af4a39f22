/** The sink: a server that does as little as one can, to show how fast the load generator is. A process of its own. */
import { createServer } from "node:net";

const ANSWER = Buffer.from("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n");
const HEAD_END = Buffer.from("\r\n\r\n");

const server = createServer((socket) => {
  let left = 0;
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    if (left === 0) {
      // A client here sends the head of a request in one piece.
      const end = chunk.indexOf(HEAD_END) + HEAD_END.length;
      const length = Number(/content-length: (\d+)/.exec(chunk.toString("latin1", 0, end))?.[1] ?? 0);
      left = length - (chunk.length - end);
    } else {
      left -= chunk.length;
    }
    if (left === 0) socket.write(ANSWER);
  });
});

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") process.send?.({ result: address?.port });
});
