// Node applications with a hook at POST /snapstart/after, as users write them.
//
//   node hooks.cjs KIND PORT
//
// Express is taken from the working directory. Each answers "hook" where it takes a
// request's path for the hook's, and anything else elsewhere.
const http = require("node:http");
const url = require("node:url");
const { createRequire } = require("node:module");

const HOOK = "/snapstart/after";
const [kind, port] = process.argv.slice(2);

function express(mount) {
  const app = createRequire(process.cwd() + "/")("express")();
  app[mount](HOOK, (request, response) => response.send("hook"));
  return app;
}

// What a plain Node application takes for the path of a request.
const READINGS = {
  url: (target) => new URL(target, "http://localhost").pathname,
  decoded: (target) => decodeURIComponent(new URL(target, "http://localhost").pathname),
  trimmed: (target) => new URL(decodeURI(target).trim(), "http://localhost").pathname,
  parse: (target) => url.parse(target).pathname,
  authority: (target) => url.parse(target, false, true).pathname,
};

function plain(read) {
  return (request, response) => {
    let path = "";
    try {
      path = read(request.url);
    } catch {
      // It is no URL: that is another path.
    }
    response.end(path === HOOK ? "hook" : "other");
  };
}

const app =
  kind === "express" ? express("post") :
  kind === "mounted" ? express("use") :
  plain(READINGS[kind]);
http.createServer(app).listen(Number(port), "127.0.0.1");
