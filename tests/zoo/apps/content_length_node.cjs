// A Content-Length that is longer than the body.
require('node:http').createServer((request, response) => {
  response.writeHead(200, {'content-length': 20});
  response.write('short');
  response.socket.end();
}).listen(process.env.PORT);
