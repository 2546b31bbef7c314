// A server on one event loop: /slow keeps it busy for 30 s, /wait waits for 30 s, /exit ends
// it once it has responded, and all else responds with the number of its process. With
// CLUSTER, that is a worker's, which is started again.
const cluster = require("node:cluster");
const { unlinkSync } = require("node:fs");
const { createServer } = require("node:http");

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
    if (request.url === "/slow") {
      const end = Date.now() + 30_000;
      while (Date.now() < end);
    }
    if (request.url === "/wait") setTimeout(respond, 30_000);
    else respond();
  });
  server.listen(socket || Number(process.env.PORT));
}

if (process.env.CLUSTER && cluster.isPrimary) {
  cluster.on("exit", () => setTimeout(() => cluster.fork(), 500));
  cluster.fork();
} else serve();
