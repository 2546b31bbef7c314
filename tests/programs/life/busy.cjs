// A server on one event loop: /slow keeps it busy for 30 s, /wait waits for 30 s, /chunks
// computes as long, for 200 ms at a time, /exit ends it once it has responded, and all else
// responds with the number of its process. With CLUSTER, that is a worker's, which is
// started again.
const cluster = require("node:cluster");
const { unlinkSync } = require("node:fs");
const { createServer } = require("node:http");

function compute(milliseconds) {
  const end = Date.now() + milliseconds;
  while (Date.now() < end);
}

function computeInChunks(chunks, then) {
  compute(200);
  if (chunks) setImmediate(computeInChunks, chunks - 1, then);
  else then();
}

function serve() {
  const socket = process.env.AWS_LWA_UNIX_SOCKET;
  if (socket) {
    try {
      unlinkSync(socket);
    } catch {
      // It is the first one.
    }
  }
  const server = createServer((request, response) => {
    const respond = () => response.end(String(process.pid));
    if (request.url === "/exit") {
      server.close();
      response.setHeader("connection", "close");
      response.on("close", () => process.exit(1));
    }
    if (request.url === "/slow") compute(30_000);
    if (request.url === "/wait") setTimeout(respond, 30_000);
    else if (request.url === "/chunks") computeInChunks(150, respond);
    else respond();
  });
  // Node.js's own default is 5 s.
  server.keepAliveTimeout = Number(process.env.KEEP_ALIVE ?? 5_000);
  server.listen(socket || Number(process.env.PORT));
}

if (process.env.CLUSTER && cluster.isPrimary) {
  cluster.on("exit", () => setTimeout(() => cluster.fork(), 500));
  cluster.fork();
} else serve();
