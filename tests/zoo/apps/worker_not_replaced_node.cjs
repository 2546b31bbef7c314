// A cluster that does not replace a worker that died.
const cluster = require('node:cluster');
const http = require('node:http');
if (cluster.isPrimary) {
  cluster.fork();
  cluster.fork();
} else {
  http.createServer((request, response) => response.end('ok')).listen(process.env.PORT, '0.0.0.0');
}
