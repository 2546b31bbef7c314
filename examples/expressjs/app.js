// A small Express application. Only its handler for events knows of Lambda.
import { buffer } from "node:stream/consumers";
import express from "express";

const app = express();

app.get("/", (request, response) => {
  response.type("text/plain").send("Hello from Express!\n");
});

// Responds with the request, byte for byte as Node received it.
app.all("/echo{/*path}", async (request, response) => {
  const { method, originalUrl: target, rawHeaders } = request;
  const headers = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    headers.push([rawHeaders[i], rawHeaders[i + 1]]);
  }
  const body = (await buffer(request)).toString("base64");
  response.json({ method, target, headers, body });
});

app.get("/bytes", (request, response) => {
  response.type("application/octet-stream").send(Buffer.from([...Array(256).keys()]));
});

app.get("/cookies", (request, response) => {
  response.cookie("first", "1").cookie("second", "2", { httpOnly: true });
  response.type("text/plain").send("Two cookies for you.\n");
});

// Receives an event that is no HTTP request: from a queue, a schedule, a bucket.
// A client can POST here too, but the adapter lets only such events have this value.
app.post("/events", express.json({ limit: "6mb" }), (request, response) => {
  if (request.get("x-amzn-request-context") !== "null") {
    response.sendStatus(403);
    return;
  }
  response.json({ received: request.body });
});

app.get("/status/:code", (request, response) => {
  response.status(Number(request.params.code)).send(`Status ${request.params.code}.\n`);
});

const server = app.listen(process.env.PORT ?? 8080);
process.on("SIGTERM", () => server.close());
