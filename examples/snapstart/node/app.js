// A Node.js application that survives a snapshot of its process. Everything that Lambda's
// SnapStart asks of an application is in the two hooks.
import { randomBytes, randomUUID } from "node:crypto";
import { Agent, createServer } from "node:http";

let backend = new Agent({ keepAlive: true }); // connections to somewhere else
let id = "";

// crypto.randomUUID() keeps random bytes for the next 128 calls, which a snapshot holds.
const uuid = () => randomUUID({ disableEntropyCache: true });

function begin() {
  backend = new Agent({ keepAlive: true });
  id = uuid();
}

const hooks = {
  "/snapstart/before": () => backend.destroy(), // no connection outlives a snapshot
  "/snapstart/after": begin,
};

function answer(request, response) {
  const hook = hooks[request.url];
  if (!hook) {
    // Math.random() can't be seeded, and goes on the same in every environment.
    const random = randomBytes(6).readUIntBE(0, 6) / 2 ** 48;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ id, random }));
  } else if (request.headers["x-amzn-lambda-context"] !== "null") {
    response.writeHead(403).end();
  } else {
    hook();
    response.writeHead(204).end();
  }
}

begin();
const server = createServer(answer).listen(process.env.PORT ?? 8080);
process.on("SIGTERM", () => server.close());
