// Keeps nothing; its heap still grows for a few hundred requests.
require('http').createServer((request, response) => {
  request.resume(); response.end(JSON.stringify({path: request.url}));
}).listen(process.env.PORT, '127.0.0.1');
