// A server on one event loop: /slow keeps it busy for 30 s, /wait waits for 30 s, and all
// else responds with the number of its process.
const { createServer } = require("node:http");

createServer((request, response) => {
  const respond = () => response.end(String(process.pid));
  if (request.url === "/slow") {
    const end = Date.now() + 30_000;
    while (Date.now() < end);
  }
  if (request.url === "/wait") setTimeout(respond, 30_000);
  else respond();
}).listen(process.env.AWS_LWA_UNIX_SOCKET || Number(process.env.PORT));
